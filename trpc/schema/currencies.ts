/**
 * ISO 4217 as of 2026, by number of decimals. The one place that says how many minor units an amount has: runtimes differ
 * from each other and from one release to the next, and a sum must not. Codes of metals, of bond units and for tests
 * (XAU, XBA, XTS, XXX …) have no minor units and are no money here. docs/decisions/015-money.md.
 */
const active = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
    CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS
    KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
} as const

/** Of funds and units of account that prices are named in. */
const funds = { 0: 'UYI', 2: 'BOV CHE CHW COU MXV USN', 4: 'CLF UYW' } as const

/** Withdrawn since 1999: orders of then are imported still. */
const withdrawn = {
  0: 'BEF BYR ESP GRD ITL LUF MGF PTE TPE TRL',
  2: `AFA ANG ATS AZM BGL BGN CSD CUC CYP DEM EEK FIM FRF GHC HRK IEP LTL LVL MRO MTL MZM NLG ROL RUR SDD SIT SKK SLL
    SRG STD TMM VEB VEF YUM ZMK ZWD ZWL`,
} as const

const decimals: ReadonlyMap<string, number> = new Map(
  [active, funds, withdrawn].flatMap((table) =>
    Object.entries(table).flatMap(([digits, codes]) =>
      codes.split(/\s+/).map((code) => [code, Number(digits)] as const),
    ),
  ),
)

/** Whether it is the code of money, in capital letters. */
export function isCurrency(code: string): boolean {
  return decimals.has(code)
}

/** Decimals of a currency: EUR 2, JPY 0, KWD 3, CLF 4; 2 for what is no currency, which older stores may hold. */
export function decimalsOf(currency: string): number {
  return decimals.get(currency) ?? 2
}

/** Every code that is money, in no particular order. */
export function currencyCodes(): string[] {
  return [...decimals.keys()]
}
