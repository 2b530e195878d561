// Driver of Go's pulsaradmin (matrix/driver/admin-messages.ts): the loop of the driver protocol.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/rest"
)

// Set by the build.
var version = "unknown"

type arguments map[string]any

// One operation of the protocol: arguments to result.
type op func(args arguments) (any, error)

// Thrown by an op that the library cannot express.
type unsupported string

func (reason unsupported) Error() string { return string(reason) }

type request struct {
	ID   int       `json:"id"`
	Op   string    `json:"op"`
	Args arguments `json:"args"`
}

var writing sync.Mutex

func write(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	writing.Lock()
	defer writing.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

func main() {
	ready := map[string]string{"client": "pulsar-admin-go", "version": version, "kind": "pulsar-admin"}
	write(map[string]any{"ready": ready})
	operations := ops()
	lines := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			var asked request
			if err := json.Unmarshal(line, &asked); err != nil {
				fmt.Fprintln(os.Stderr, "not a request:", err)
			} else {
				go answer(operations, asked)
			}
		}
		if err == io.EOF {
			return
		}
	}
}

func answer(operations map[string]op, asked request) {
	told := map[string]any{"id": asked.ID}
	defer func() {
		if broken := recover(); broken != nil {
			told["error"] = map[string]string{"name": "panic", "message": fmt.Sprint(broken)}
		}
		write(told)
	}()
	run, known := operations[asked.Op]
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
		told["error"] = map[string]string{"name": nameOf(err), "message": err.Error()}
	case result == nil:
		told["result"] = map[string]any{}
	default:
		told["result"] = result
	}
}

// The status, where the server gave one.
func nameOf(err error) string {
	var refused rest.Error
	if errors.As(err, &refused) {
		return strconv.Itoa(refused.Code)
	}
	return fmt.Sprintf("%T", err)
}

func (args arguments) text(name string) string {
	text, _ := args[name].(string)
	return text
}

func (args arguments) number(name string) int {
	number, _ := args[name].(float64)
	return int(number)
}

func (args arguments) flag(name string) bool {
	flag, _ := args[name].(bool)
	return flag
}

func (args arguments) object(name string) arguments {
	object, _ := args[name].(map[string]any)
	return object
}

func (args arguments) int64(name string) (int64, error) {
	return strconv.ParseInt(args.text(name), 10, 64)
}
