import type { LoaderFunctionArgs } from '@remix-run/node'
import { jsonOf } from '../errors/answers.server.ts'
import { loadJourney } from '../journey/load.server.ts'
import { eventsPart, sessionsPart } from '../journey/parts.ts'

/** The next part of a journey's events or sessions as JSON, for a page that shows the parts before. */
export function loader(args: LoaderFunctionArgs) {
  return jsonOf(args, async () => {
    const loaded = await loadJourney(args)
    const part = new URL(args.request.url).searchParams.get('part')
    return part === 'sessions' ? sessionsPart(loaded) : eventsPart(loaded)
  })
}
