/** What Nordlicht Outdoor sells. Prices in euro cents. */
export interface Product {
  productId: string
  name: string
  category: string
  path: string
  priceCents: number
  /** Consumables are bought several at a time. */
  severalAtOnce: boolean
  videoId: string | null
}

export const categories: Readonly<Record<string, string>> = {
  tents: 'Tents',
  'sleeping-bags': 'Sleeping bags',
  backpacks: 'Backpacks',
  jackets: 'Jackets',
  boots: 'Boots',
  stoves: 'Stoves and fuel',
  lights: 'Lights',
  accessories: 'Accessories',
}

type Row = [id: string, name: string, category: string, priceCents: number, extra?: 'several' | 'video']

const rows: Row[] = [
  ['NL-TN-204', 'Fjell 2 tent', 'tents', 34990, 'video'],
  ['NL-TN-206', 'Fjell 3 tent', 'tents', 42990, 'video'],
  ['NL-TN-310', 'Vidda tunnel tent', 'tents', 58900],
  ['NL-TN-101', 'Skygge tarp 3 × 3 m', 'tents', 8990],
  ['NL-TN-012', 'Ground sheet for two', 'tents', 3990],
  ['NL-SB-110', 'Dun −5 °C sleeping bag', 'sleeping-bags', 24990, 'video'],
  ['NL-SB-080', 'Sommer 8 °C sleeping bag', 'sleeping-bags', 11990],
  ['NL-SB-030', 'Lett insulated mat', 'sleeping-bags', 12990],
  ['NL-SB-031', 'Foam mat', 'sleeping-bags', 2990],
  ['NL-SB-007', 'Travel pillow', 'sleeping-bags', 2490],
  ['NL-BP-065', 'Tur 65 backpack', 'backpacks', 21990, 'video'],
  ['NL-BP-038', 'Tur 38 backpack', 'backpacks', 14990],
  ['NL-BP-022', 'Dag 22 daypack', 'backpacks', 7990],
  ['NL-BP-015', 'Løp running vest', 'backpacks', 9990],
  ['NL-BP-002', 'Rain cover', 'backpacks', 1990],
  ['NL-JK-501', 'Storm shell jacket', 'jackets', 29990, 'video'],
  ['NL-JK-420', 'Regn rain jacket', 'jackets', 15990],
  ['NL-JK-330', 'Dun light down jacket', 'jackets', 19990],
  ['NL-JK-210', 'Ull merino hoodie', 'jackets', 12990],
  ['NL-JK-115', 'Merino base layer', 'jackets', 6990],
  ['NL-BT-710', 'Skard trail boot', 'boots', 18990, 'video'],
  ['NL-BT-640', 'Stein approach shoe', 'boots', 13990],
  ['NL-BT-520', 'Camp sandal', 'boots', 5990],
  ['NL-BT-011', 'Hiking socks', 'boots', 1790, 'several'],
  ['NL-ST-011', 'Camp stove Glød', 'stoves', 5940, 'video'],
  ['NL-ST-024', 'Titanium pot 900 ml', 'stoves', 4990],
  ['NL-ST-230', 'Gas cartridge 230 g', 'stoves', 690, 'several'],
  ['NL-ST-450', 'Gas cartridge 450 g', 'stoves', 1090, 'several'],
  ['NL-ST-061', 'Trail meal: lentil curry', 'stoves', 790, 'several'],
  ['NL-LT-400', 'Lys 400 headlamp', 'lights', 6990, 'video'],
  ['NL-LT-150', 'Lys 150 headlamp', 'lights', 3490],
  ['NL-LT-032', 'Camp lantern', 'lights', 2990],
  ['NL-AC-100', 'Steel bottle 1 l', 'accessories', 2990],
  ['NL-AC-014', 'Water filter Bekk', 'accessories', 4490, 'video'],
  ['NL-AC-077', 'Trekking poles', 'accessories', 8990],
  ['NL-AC-003', 'First aid kit', 'accessories', 2790],
  ['NL-AC-900', 'Gift card €50', 'accessories', 5000],
]

export const products: readonly Product[] = rows.map(([productId, name, category, priceCents, extra]) => ({
  productId,
  name,
  category,
  path: `/p/${productId.toLowerCase()}`,
  priceCents,
  severalAtOnce: extra === 'several',
  videoId: extra === 'video' ? `vid-${productId.slice(3).toLowerCase()}` : null,
}))

/** What people type, and the category that answers it; null finds nothing. */
export const searches: readonly (readonly [weight: number, value: { query: string; category: string | null }])[] = [
  [9, { query: 'tent 2 person', category: 'tents' }],
  [5, { query: 'tunnel tent', category: 'tents' }],
  [7, { query: 'sleeping bag winter', category: 'sleeping-bags' }],
  [4, { query: 'mat', category: 'sleeping-bags' }],
  [8, { query: 'backpack 40l', category: 'backpacks' }],
  [3, { query: 'running vest', category: 'backpacks' }],
  [10, { query: 'rain jacket', category: 'jackets' }],
  [6, { query: 'merino', category: 'jackets' }],
  [8, { query: 'hiking boots', category: 'boots' }],
  [4, { query: 'socks', category: 'boots' }],
  [6, { query: 'gas cartridge', category: 'stoves' }],
  [3, { query: 'stove', category: 'stoves' }],
  [7, { query: 'headlamp', category: 'lights' }],
  [4, { query: 'water filter', category: 'accessories' }],
  [3, { query: 'crampons', category: null }],
  [2, { query: 'ice axe', category: null }],
  [1, { query: 'zelt 3 personen günstig', category: null }],
]

/** Amounts are worked out in minor units and leave as decimals, exact to the cent. */
export function decimal(cents: number): number {
  return cents / 100
}
