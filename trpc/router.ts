import { authRouter } from './auth.ts'
import { createCallerFactory, router } from './init.ts'
import { journeyRouter } from './journey.ts'
import { keysRouter } from './keys.ts'
import { statsRouter } from './stats.ts'
import { systemRouter } from './system.ts'
import { usersRouter } from './users.ts'

/** The one router: pages, tools and REST addresses all run these procedures. */
export const appRouter = router({
  auth: authRouter,
  stats: statsRouter,
  users: usersRouter,
  journey: journeyRouter,
  system: systemRouter,
  keys: keysRouter,
})

export type AppRouter = typeof appRouter
export const createCaller = createCallerFactory(appRouter)
export type Caller = ReturnType<typeof createCaller>
