#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { main } from './command.js'

// Batches lie outside JavaScript's small heap, but count for when it is collected: by V8's own measure all of it was
// looked through for every few dozen megabytes that passed, up to a third of this thread's time. So the heap may grow to
// five times what lives before it is; that costs some 30 MB.
setFlagsFromString('--heap-growing-percent=400')

await main(process.argv.slice(2))
