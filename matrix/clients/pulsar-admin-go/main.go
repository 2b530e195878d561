// Driver of Go's pulsaradmin (matrix/driver/admin-messages.ts).
package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/rest"
)

func main() { serve(ops(), nameOf) }

// The status, where the server gave one.
func nameOf(err error) string {
	var refused rest.Error
	if errors.As(err, &refused) {
		return strconv.Itoa(refused.Code)
	}
	return fmt.Sprintf("%T", err)
}
