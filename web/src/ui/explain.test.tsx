import { screen } from '@testing-library/react'
import { beforeAll, expect, it } from 'vitest'

import { ApiError } from '../api/error'
import { setLanguage, startI18n } from '../i18n'
import { draw } from '../test/draw'
import { useExplainError } from './explain'

beforeAll(async () => {
  await startI18n()
  await setLanguage('en')
})

function Words({ error }: { error: unknown }) {
  return <p data-testid="words">{useExplainError()(error)}</p>
}

it.each([
  [
    new ApiError(500, 'internal', 'x', undefined, 'r7'),
    'A mistake of ours (request r7; tell it to support)',
  ],
  [new ApiError(501, 'new', 'Odd.', undefined, 'r7'), 'Odd. (request r7; tell it to support)'],
  [new ApiError(400, 'bad_field', 'Too odd.', 'x', 'r7'), 'Too odd.'],
  [new ApiError(418, 'new', 'Odd.'), 'Odd.'],
  [new ApiError(503, 'busy', 'x', undefined, 'r7'), 'The service is busy'],
  [new Error('thrown'), 'Error: thrown'],
])('names the request where only support can help: %s', (error, text) => {
  draw(<Words error={error} />)
  expect(screen.getByTestId('words').textContent).toBe(text)
})
