// Runs large-thread.ts as it is. `--import tsx` of the main thread does not reach the threads of Node 20.
import { register } from 'tsx/esm/api'

register()
await import('./large-thread.ts')
