import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { keys } from '../api/queries'
import type { Program } from '../api/types'
import { useApi } from '../session/context'
import { useExplainError } from '../ui/explain'
import { patchProgram, setName, undoName } from './rename'

const mutationKey = ['rename']

interface Rename {
  before: string | null
  name: string | null
}

/** Gives a program a name of one's own: seen at once, undone with a word if it is refused. */
export function useRename(id: string) {
  const { t } = useTranslation('programs')
  const api = useApi()
  const client = useQueryClient()
  const explain = useExplainError()
  return useMutation({
    mutationKey: [...mutationKey, id],
    // One after the other, or the first might arrive last.
    scope: { id: `rename ${id}` },
    networkMode: 'always',
    mutationFn: ({ name }: Rename) =>
      api.json<Program>(`/api/reseller/program/${id}/custom-name`, {
        method: 'POST',
        body: { custom_name: name },
      }),
    onMutate: async ({ name }) => {
      // An answer that is under way still has the old one.
      await client.cancelQueries({ queryKey: keys.programs })
      setName(client, id, name)
    },
    onSuccess: (row) => {
      // The name that follows is shown already.
      if (client.isMutating({ mutationKey: [...mutationKey, id] }) > 1) return
      patchProgram(client, id, () => row)
    },
    onError: (error, { before, name }) => {
      undoName(client, id, name, before)
      notifications.show({
        color: 'red',
        title: t('renameRefused'),
        message: explain(error),
        autoClose: 10_000,
      })
    },
    onSettled: () => {
      if (client.isMutating({ mutationKey }) > 1) return
      void client.invalidateQueries({ queryKey: keys.programs })
    },
  })
}
