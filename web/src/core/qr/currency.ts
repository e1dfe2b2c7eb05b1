// Currencies as codes have them: the three digits of ISO 4217, and how many digits stand behind the point.
import { need } from './wrong.ts'

/** ISO 4217, letters and digits, by exponent. */
const table: Record<number, string> = {
  0: 'BIF108 CLP152 DJF262 GNF324 ISK352 JPY392 KMF174 KRW410 PYG600 RWF646 UGX800 VND704 VUV548 XAF950 XOF952 XPF953',
  2: 'AED784 AFN971 ALL008 AMD051 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050 BMD060 BND096 BOB068 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124 CDF976 CHF756 CNY156 COP170 CRC188 CUP192 CVE132 CZK203 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230 EUR978 FJD242 FKP238 GBP826 GEL981 GHS936 GIP292 GMD270 GTQ320 GYD328 HKD344 HNL340 HTG332 HUF348 IDR360 ILS376 INR356 IRR364 JMD388 KES404 KGS417 KHR116 KPW408 KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426 MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929 MUR480 MVR462 MWK454 MXN484 MYR458 MZN943 NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 PAB590 PEN604 PGK598 PHP608 PKR586 PLN985 QAR634 RON946 RSD941 RUB643 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SOS706 SRD968 SSP728 STN930 SVC222 SYP760 SZL748 THB764 TJS972 TMT934 TOP776 TRY949 TTD780 TWD901 TZS834 UAH980 USD840 UYU858 UZS860 VED926 VES928 WST882 XCD951 XCG532 YER886 ZAR710 ZMW967 ZWG924',
  3: 'BHD048 IQD368 JOD400 KWD414 LYD434 OMR512 TND788',
  4: 'UYW927',
}
const all = Object.entries(table).flatMap(([exponent, list]) => list.split(' ').map((one) => [one.slice(0, 3), one.slice(3), Number(exponent)] as const))

/** No currency: the unit is one of the operator's own, and stands beside. */
export const ownUnit = '999'

/** digitsOf gives the three digits of a currency; those for "none" when it has none. */
export const digitsOf = (code: string): string => all.find(([letters]) => letters === code)?.[1] ?? ownUnit

/** lettersOf gives the letters that belong to three digits; undefined when they are not known. */
export const lettersOf = (digits: string): string | undefined => all.find(([, number]) => number === digits)?.[0]

/** exponentOf says how many digits stand behind the point of a currency; undefined when it is not known. */
export function exponentOf(code: string): number | undefined {
  return all.find(([letters]) => letters === code)?.[2]
}

const largest = 2 ** 53

/** minor reads an amount as codes write it ("125", "125.5", "125.50") as the smallest parts of its unit. More digits than the unit has, and more than 2^53, are refused. */
export function minor(text: string, exponent: number): number {
  const [, whole = '', part = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  need(whole !== '' && text.length <= 32, 'value', 'amount')
  const digits = part.replace(/0+$/, '')
  need(digits.length <= exponent, 'value', 'amount')
  const amount = BigInt(whole + digits.padEnd(exponent, '0'))
  need(amount <= largest, 'value', 'amount')
  return Number(amount)
}

/** isDecimal is whether a text is an amount of a unit; where the unit is not known, of any. */
export const isDecimal = (text: string, exponent: number | undefined): boolean => {
  try { minor(text, exponent ?? 20); return true } catch { return exponent === undefined && /^\d+(?:\.\d+)?$/.test(text) }
}

/** isZero is whether an amount says nothing. */
export const isZero = (text: string): boolean => /^[0.]+$/.test(text)

/** decimal writes an amount as codes do: with a point, and all digits of the unit. */
export function decimal(amount: number, exponent: number): string {
  need(Number.isInteger(amount) && amount > 0 && amount <= largest, 'value', 'amount')
  const digits = String(amount).padStart(exponent + 1, '0')
  return exponent ? `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}` : digits
}
