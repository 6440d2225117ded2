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
  id: string
  before: string | null
  name: string | null
}

/** Gives a program a name of one's own: seen at once, undone with a word if it is refused. */
export function useRename() {
  const { t } = useTranslation('programs')
  const api = useApi()
  const client = useQueryClient()
  const explain = useExplainError()
  return useMutation({
    mutationKey,
    networkMode: 'always',
    mutationFn: ({ id, name }: Rename) =>
      api.json<Program>(`/api/reseller/program/${id}/custom-name`, {
        method: 'POST',
        body: { custom_name: name },
      }),
    onMutate: async ({ id, name }) => {
      // An answer that is under way still has the old one.
      await client.cancelQueries({ queryKey: keys.programs })
      setName(client, id, name)
    },
    onSuccess: (row) => patchProgram(client, row.program_id, () => row),
    onError: (error, { id, before, name }) => {
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
