// The loop of every driver in Go: one JSON object a line in, one a line out (matrix/driver/messages.ts).
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Set by the build.
var (
	client  = "unknown"
	version = "unknown"
	kind    = "unknown"
)

type arguments map[string]any

// One operation of the protocol: arguments to result; nil is the empty one.
type op func(args arguments) (any, error)

// Answered by an op that the library cannot express.
type unsupported string

func (reason unsupported) Error() string { return string(reason) }

// An error under a name of the driver's choice.
type named struct{ name, message string }

func (err named) Error() string { return err.message }

var timedOut = named{"TIMEOUT", "no answer in time"}

type request struct {
	ID   int       `json:"id"`
	Op   string    `json:"op"`
	Args arguments `json:"args"`
}

type server struct {
	operations map[string]op
	nameOf     func(error) string
	answers    *os.File
	writing    sync.Mutex
}

// serve answers until standard input closes; each request has a goroutine. nameOf gives the protocol's name of a
// library's error.
func serve(operations map[string]op, nameOf func(error) string) {
	serving := &server{operations: operations, nameOf: nameOf, answers: os.Stdout}
	// Whatever the library prints is log.
	os.Stdout = os.Stderr
	serving.write(map[string]any{"ready": map[string]string{"client": client, "version": version, "kind": kind}})
	lines := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			var asked request
			if err := json.Unmarshal(line, &asked); err != nil {
				fmt.Fprintln(os.Stderr, "not a request:", err)
			} else {
				go serving.answer(asked)
			}
		}
		if err == io.EOF {
			return
		}
	}
}

func (serving *server) write(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	serving.writing.Lock()
	defer serving.writing.Unlock()
	serving.answers.Write(append(text, '\n'))
}

func (serving *server) answer(asked request) {
	told := map[string]any{"id": asked.ID}
	defer func() {
		if broken := recover(); broken != nil {
			told["error"] = map[string]string{"name": "panic", "message": fmt.Sprint(broken)}
		}
		serving.write(told)
	}()
	run, known := serving.operations[asked.Op]
	if !known {
		told["unsupported"] = "the library has no " + asked.Op
		return
	}
	result, err := run(asked.Args)
	var reason unsupported
	switch {
	case errors.As(err, &reason):
		told["unsupported"] = string(reason)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %T: %v\n", asked.Op, err, err)
		told["error"] = map[string]string{"name": serving.name(err), "message": err.Error()}
	case result == nil:
		told["result"] = map[string]any{}
	default:
		told["result"] = result
	}
}

func (serving *server) name(err error) string {
	var known named
	if errors.As(err, &known) {
		return known.name
	}
	return serving.nameOf(err)
}

/* ---- Arguments ----------------------------------------------------------------------------------------------------- */

func (args arguments) has(name string) bool {
	value, given := args[name]
	return given && value != nil
}

func (args arguments) text(name string) string {
	text, _ := args[name].(string)
	return text
}

func (args arguments) textOr(name, fallback string) string {
	if text, given := args[name].(string); given {
		return text
	}
	return fallback
}

func (args arguments) number(name string) int {
	number, _ := args[name].(float64)
	return int(number)
}

func (args arguments) flag(name string) bool {
	flag, _ := args[name].(bool)
	return flag
}

func (args arguments) flagOr(name string, fallback bool) bool {
	if flag, given := args[name].(bool); given {
		return flag
	}
	return fallback
}

func (args arguments) object(name string) arguments {
	object, _ := args[name].(map[string]any)
	return object
}

func (args arguments) objects(name string) []arguments {
	list, _ := args[name].([]any)
	all := []arguments{}
	for _, each := range list {
		object, _ := each.(map[string]any)
		all = append(all, object)
	}
	return all
}

func (args arguments) texts(name string) []string {
	list, _ := args[name].([]any)
	all := []string{}
	for _, each := range list {
		text, _ := each.(string)
		all = append(all, text)
	}
	return all
}

// Of an object of texts, such as settings or properties.
func (args arguments) textMap(name string) map[string]string {
	all := map[string]string{}
	for key, value := range args.object(name) {
		all[key], _ = value.(string)
	}
	return all
}

func (args arguments) int64(name string) (int64, error) {
	return strconv.ParseInt(args.text(name), 10, 64)
}

// bytes of a base64 field; nil where it is null or absent.
func (args arguments) bytes(name string) ([]byte, error) { return bytesOf(args[name]) }

func bytesOf(value any) ([]byte, error) {
	text, given := value.(string)
	if !given {
		return nil, nil
	}
	bytes, err := base64.StdEncoding.DecodeString(text)
	if bytes == nil {
		bytes = []byte{}
	}
	return bytes, err
}

func (args arguments) timeout(fallbackMs int) time.Duration {
	if given := args.number("timeoutMs"); given > 0 {
		fallbackMs = given
	}
	return time.Duration(fallbackMs) * time.Millisecond
}

func (args arguments) deadline(fallbackMs int) time.Time {
	return time.Now().Add(args.timeout(fallbackMs))
}

/* ---- Handles ------------------------------------------------------------------------------------------------------- */

// handles are the things that are open under a name, all of which `configure` closes.
type handles[Kind any] struct {
	mutex sync.Mutex
	all   map[string]Kind
}

func (kept *handles[Kind]) put(name string, handle Kind) {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	if kept.all == nil {
		kept.all = map[string]Kind{}
	}
	kept.all[name] = handle
}

func (kept *handles[Kind]) get(name, what string) (Kind, error) {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	handle, open := kept.all[name]
	if !open {
		return handle, named{"NoSuch" + what, "no " + what + " " + name + " is open"}
	}
	return handle, nil
}

// getOrMake opens it the first time. Others wait meanwhile.
func (kept *handles[Kind]) getOrMake(name string, open func() (Kind, error)) (Kind, error) {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	if handle, known := kept.all[name]; known {
		return handle, nil
	}
	handle, err := open()
	if err == nil {
		if kept.all == nil {
			kept.all = map[string]Kind{}
		}
		kept.all[name] = handle
	}
	return handle, err
}

func (kept *handles[Kind]) remove(name, what string) (Kind, error) {
	handle, err := kept.get(name, what)
	if err == nil {
		kept.mutex.Lock()
		defer kept.mutex.Unlock()
		delete(kept.all, name)
	}
	return handle, err
}

// removeAll closes each aside: closing may wait for a broker, and nobody waits for that.
func (kept *handles[Kind]) removeAll(closeOne func(Kind)) {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	for _, handle := range kept.all {
		go closeOne(handle)
	}
	kept.all = nil
}

// removeSome gives back what was open under names of a kind.
func (kept *handles[Kind]) removeSome(isMeant func(name string) bool) []Kind {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	removed := []Kind{}
	for name, handle := range kept.all {
		if isMeant(name) {
			removed = append(removed, handle)
			delete(kept.all, name)
		}
	}
	return removed
}
