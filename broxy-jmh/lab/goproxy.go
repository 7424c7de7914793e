// goproxy as its README starts it: whole-process.sh builds this where the Go library is installed.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/elazarl/goproxy"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], goproxy.NewProxyHttpServer()))
}
