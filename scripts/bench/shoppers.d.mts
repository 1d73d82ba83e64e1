/** A function that gives the next event as JSON. */
export function createShoppers(kind: 'page' | 'shop' | 'wide', run: string): () => string
