// What a payment, a request and a split look like in their bubbles: loaded with the first one.
export { PaymentCard } from './PaymentCard.tsx'
export { RequestCard } from './RequestCard.tsx'
export { SplitCard } from './SplitCard.tsx'
