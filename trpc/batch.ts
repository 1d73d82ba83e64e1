/** Questions in one request over HTTP. The server refuses more, since one request must not hold up everybody else. */
export const maxBatchSize = 20
