/**
 * Remix decodes page data while they stream in and never handles the promise for the end of the stream, so aborting a
 * load midway (by navigating elsewhere) would be an unhandled rejection. No data are deferred, so this reads the whole
 * body before handing it on; an abort before that rejects like any fetch.
 */
export function readDataWhole(): void {
  const { fetch } = window
  window.fetch = async (input, init) => {
    const answer = await fetch(input, init)
    if (answer.body === null || !isData(input)) return answer
    const { status, statusText, headers } = answer
    return new Response(await answer.arrayBuffer(), { status, statusText, headers })
  }
}

function isData(input: RequestInfo | URL): boolean {
  const address = input instanceof Request ? input.url : input
  return new URL(address, window.location.href).pathname.endsWith('.data')
}
