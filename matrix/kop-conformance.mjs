#!/usr/bin/env node
// The command: a file that is executable as it is checked out, whatever was built since.
import '../dist/matrix/cli.js'
