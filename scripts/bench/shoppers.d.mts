/** Returns a function that returns the next event as JSON text. */
export function createShoppers(kind: 'page' | 'shop' | 'wide', run: string): () => string
