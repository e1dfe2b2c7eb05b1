// Currencies as codes have them: the three digits of ISO 4217, and how many digits stand behind the point.
import { need } from './wrong.ts'

/** Letters, digits and exponent. Not all of ISO 4217: those of the places where such codes are in use. */
const table = `AED 784 2,ARS 032 2,AUD 036 2,BDT 050 2,BHD 048 3,BIF 108 0,BRL 986 2,BWP 072 2,CAD 124 2,CDF 976 2,CHF 756 2,CLP 152 0,CNY 156 2,COP 170 2,CRC 188 2,CVE 132 2,CZK 203 2,DJF 262 0,DKK 208 2,DZD 012 2,EGP 818 2,ETB 230 2,EUR 978 2,GBP 826 2,GHS 936 2,GMD 270 2,GNF 324 0,HKD 344 2,HUF 348 2,IDR 360 2,ILS 376 2,INR 356 2,IQD 368 3,ISK 352 0,JOD 400 3,JPY 392 0,KES 404 2,KHR 116 2,KMF 174 0,KRW 410 0,KWD 414 3,LAK 418 2,LBP 422 2,LKR 144 2,LRD 430 2,LYD 434 3,MAD 504 2,MGA 969 2,MMK 104 2,MRU 929 2,MUR 480 2,MWK 454 2,MXN 484 2,MYR 458 2,MZN 943 2,NAD 516 2,NGN 566 2,NOK 578 2,NPR 524 2,NZD 554 2,OMR 512 3,PEN 604 2,PHP 608 2,PKR 586 2,PLN 985 2,PYG 600 0,QAR 634 2,RON 946 2,RWF 646 0,SAR 682 2,SCR 690 2,SDG 938 2,SEK 752 2,SGD 702 2,SLE 925 2,SOS 706 2,SSP 728 2,STN 930 2,SZL 748 2,THB 764 2,TND 788 3,TRY 949 2,TWD 901 2,TZS 834 2,UAH 980 2,UGX 800 0,USD 840 2,UYU 858 2,VND 704 0,XAF 950 0,XOF 952 0,ZAR 710 2,ZMW 967 2`
const all = table.split(',').map((one) => one.split(' ') as [string, string, string])

/** No currency: the unit is one of the operator's own, and stands beside. */
export const ownUnit = '999'

/** digitsOf gives the three digits of a currency; those for "none" when it has none. */
export const digitsOf = (code: string): string => all.find(([letters]) => letters === code)?.[1] ?? ownUnit

/** lettersOf gives the letters that belong to three digits; undefined when they are not known. */
export const lettersOf = (digits: string): string | undefined => all.find(([, number]) => number === digits)?.[0]

/** exponentOf says how many digits stand behind the point of a currency; undefined when it is not known. */
export function exponentOf(code: string): number | undefined {
  const found = all.find(([letters]) => letters === code)?.[2]
  return found === undefined ? undefined : Number(found)
}

const largest = 2 ** 53 - 1

/** minor reads an amount as codes write it ("125", "125.5", "125.50") as the smallest parts of its unit. More digits than the unit has, zero, and more than 2^53 are refused. */
export function minor(text: string, exponent: number): number {
  const [, whole = '', part = ''] = /^(\d{1,16})(?:\.(\d*))?$/.exec(text) ?? []
  need(whole !== '' && text.length <= 20, 'form', 'amount')
  const digits = part.replace(/0+$/, '')
  need(digits.length <= exponent, 'form', 'amount')
  const amount = Number(whole + digits.padEnd(exponent, '0'))
  need(amount > 0 && amount <= largest, 'form', 'amount')
  return amount
}

/** decimal writes an amount as codes do: with a point, and all digits of the unit. */
export function decimal(amount: number, exponent: number): string {
  need(Number.isSafeInteger(amount) && amount > 0, 'form', 'amount')
  const digits = String(amount).padStart(exponent + 1, '0')
  return exponent ? `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}` : digits
}
