import { createRandom, type Random } from './random.ts'

export interface Device {
  deviceType: 'mobile' | 'desktop' | 'tablet'
  browser: string
  os: string
  screenResolution: string
}

/** How faithful a visitor is: mean days between visits, and the chance to come back after each. */
export interface Habit {
  name: 'once' | 'seldom' | 'regular' | 'often' | 'daily'
  gapDays: number
  returns: number
  /** Chance to have known the shop before the demo begins. */
  known: number
}

const habits: (readonly [number, Habit])[] = [
  [46, { name: 'once', gapDays: 0, returns: 0, known: 0 }],
  [31, { name: 'seldom', gapDays: 17, returns: 0.72, known: 0.3 }],
  [19, { name: 'regular', gapDays: 7, returns: 0.9, known: 0.4 }],
  [3.7, { name: 'often', gapDays: 1.7, returns: 0.985, known: 0.5 }],
  [0.3, { name: 'daily', gapDays: 0.5, returns: 0.999, known: 0.8 }],
]

const devices: (readonly [number, Device])[] = [
  [30, { deviceType: 'mobile', browser: 'Safari', os: 'iOS', screenResolution: '390x844' }],
  [24, { deviceType: 'mobile', browser: 'Chrome', os: 'Android', screenResolution: '412x915' }],
  [4, { deviceType: 'mobile', browser: 'Samsung Internet', os: 'Android', screenResolution: '384x854' }],
  [17, { deviceType: 'desktop', browser: 'Chrome', os: 'Windows', screenResolution: '1920x1080' }],
  [6, { deviceType: 'desktop', browser: 'Edge', os: 'Windows', screenResolution: '1536x864' }],
  [6, { deviceType: 'desktop', browser: 'Safari', os: 'macOS', screenResolution: '1512x982' }],
  [5, { deviceType: 'desktop', browser: 'Firefox', os: 'Windows', screenResolution: '1920x1080' }],
  [2, { deviceType: 'desktop', browser: 'Firefox', os: 'Linux', screenResolution: '2560x1440' }],
  [6, { deviceType: 'tablet', browser: 'Safari', os: 'iPadOS', screenResolution: '820x1180' }],
]

interface Home {
  timezone: string
  language: string
  country: string
  currency: string
}

const homes: (readonly [number, Home])[] = [
  [68, { timezone: 'Europe/Berlin', language: 'de-DE', country: 'DE', currency: 'EUR' }],
  [11, { timezone: 'Europe/Vienna', language: 'de-AT', country: 'AT', currency: 'EUR' }],
  [10, { timezone: 'Europe/Zurich', language: 'de-CH', country: 'CH', currency: 'CHF' }],
  [5, { timezone: 'Europe/Amsterdam', language: 'nl-NL', country: 'NL', currency: 'EUR' }],
  [4, { timezone: 'Europe/Berlin', language: 'en-GB', country: 'DE', currency: 'EUR' }],
  [2, { timezone: 'Europe/Copenhagen', language: 'da-DK', country: 'DK', currency: 'EUR' }],
]

export interface Visitor extends Home {
  userId: string
  habit: Habit
  /** The usual one first; a second for some. */
  devices: Device[]
}

/** The visitor of a number; the same for the same seed, and no two with one id. */
export function createVisitor(seed: number, number: number, visitors: number): Visitor {
  const random = createRandom(seed, 2, number)
  const usual = random.weighted(devices)
  const second = random.chance(0.3) ? random.weighted(devices) : null
  return {
    userId: `user_${scatter(seed, number, visitors)}`,
    habit: random.weighted(habits),
    devices: second ? [usual, second] : [usual],
    ...random.weighted(homes),
  }
}

/** Numbers as a shop gives them out: of one length and in no order of arrival. 7919 is prime, so none comes twice. */
function scatter(seed: number, number: number, visitors: number): number {
  let span = 100_000
  while (span < visitors * 2) span *= 10
  return span + ((number * 7919 + (seed % 1000) * 31 + 4822) % (9 * span))
}

export function deviceOfVisit(visitor: Visitor, random: Random): Device {
  const [usual, second] = visitor.devices
  return second && random.chance(0.35) ? second : usual!
}
