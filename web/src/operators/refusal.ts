import type { TFunction } from 'i18next'

import { ApiError } from '../api/error'

/* Why the API did not take a field, by the code of the answer. */

export type Field = 'name' | 'token' | 'timeZone'

const REASONS = [
  ['name', 'bad_field', 'nameBad'],
  ['name', 'unfit_field', 'nameTaken'],
  ['timeZone', 'unfit_field', 'zoneUnknown'],
  ['token', 'bad_field', 'tokenBad'],
  ['token', 'token_expired', 'tokenExpired'],
  ['token', 'token_refused', 'tokenRefused'],
  ['token', 'token_just_refused', 'tokenJustRefused'],
  ['token', 'token_wrong_category', 'tokenWrongCategory'],
  ['token', 'token_no_access', 'tokenNoAccess'],
  ['token', 'token_other_seller', 'tokenOthers'],
] as const

export function fieldOf(error: unknown): Field | null {
  if (!(error instanceof ApiError)) return null
  return REASONS.find(([field]) => field === error.field)?.[0] ?? null
}

/** In the reader's language; of a code that is new, the API's own words. */
export function reasonOf(error: ApiError, t: TFunction<'analytics'>): string {
  const found = REASONS.find(([field, code]) => field === error.field && code === error.code)
  return found === undefined ? error.detail : t(`refused_${found[2]}`)
}
