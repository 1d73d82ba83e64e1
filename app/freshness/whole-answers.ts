/**
 * Remix decodes the data of a page while they come, and forgets the promise that tells of their end: a load that is
 * given up in the middle, since the reader goes elsewhere, would be an error that nobody catches. Nothing of our data
 * comes later than the rest, so they are handed on when they are there; what is given up before fails like any fetch.
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
