package frontend

import "os"

func exit(code int) { os.Exit(code) }
