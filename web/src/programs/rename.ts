import type { QueryClient } from '@tanstack/react-query'

import { keys } from '../api/queries'
import type { Program, ProgramList } from '../api/types'

export const NAME_MAX = 255

/** As the API keeps it: no blanks around it, and nothing is no name. */
export function cleanName(text: string): string | null {
  const trimmed = text.trim()
  return trimmed === '' ? null : trimmed
}

/** In characters, as the API counts. */
export function nameLength(text: string): number {
  return [...text.trim()].length
}

/** Changes one program in every list that is kept. */
export function patchProgram(
  client: QueryClient,
  id: string,
  patch: (program: Program) => Program,
): void {
  client.setQueriesData<ProgramList>({ queryKey: keys.programs }, (list) => {
    if (!list?.programs.some((p) => p.program_id === id)) return list
    return { ...list, programs: list.programs.map((p) => (p.program_id === id ? patch(p) : p)) }
  })
}

export function setName(client: QueryClient, id: string, name: string | null): void {
  patchProgram(client, id, (p) => ({ ...p, custom_name: name }))
}

/** Takes back `wrong` where it still stands; what others have said since is left. */
export function undoName(
  client: QueryClient,
  id: string,
  wrong: string | null,
  before: string | null,
): void {
  patchProgram(client, id, (p) => (p.custom_name === wrong ? { ...p, custom_name: before } : p))
}
