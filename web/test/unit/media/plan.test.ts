// How small videos become.
import { expect, test } from 'vitest'
import { expected, planVideo } from '../../../src/core/media/plan.ts'

const phone = { width: 1920, height: 1080, seconds: 20, rate: 30, bytes: 42e6 }

test('as large as a phone shows it, upright or not; larger when somebody asks for it', () => {
  expect(planVideo(phone, 'usual')).toMatchObject({ width: 1280, height: 720, rate: 30, worth: true })
  expect(planVideo({ ...phone, width: 1080, height: 1920 }, 'usual')).toMatchObject({ width: 720, height: 1280 })
  expect(planVideo(phone, 'hd')).toMatchObject({ width: 1920, height: 1080, worth: true })
  expect(planVideo({ ...phone, width: 3840, height: 2160 }, 'hd')).toMatchObject({ width: 1920, height: 1080 })
})

test('sides are even, and nothing is made larger or faster', () => {
  expect(planVideo({ ...phone, width: 641, height: 359 }, 'usual')).toMatchObject({ width: 642, height: 360 })
  expect(planVideo({ ...phone, width: 20000, height: 3 }, 'usual')).toMatchObject({ width: 1280, height: 2 })
  expect(planVideo({ ...phone, rate: 120 }, 'usual').rate).toBe(30)
  expect(planVideo({ ...phone, rate: 15 }, 'usual').rate).toBe(15)
  expect(planVideo({ ...phone, rate: 0 }, 'usual').rate).toBe(30)
})

test('a minute of a phone camera becomes a tenth, and what is small stays', () => {
  const plan = planVideo({ ...phone, seconds: 60, bytes: 127e6 }, 'usual')
  expect(expected(plan, 60)).toBeLessThan(17e6)
  expect(planVideo({ width: 848, height: 480, seconds: 60, rate: 30, bytes: 6e6 }, 'usual').worth).toBe(false)
  expect(planVideo({ width: 176, height: 144, seconds: 60, rate: 15, bytes: 4e6 }, 'usual').bits).toBe(250_000)
})
