import { Badge } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** What the partner's answer of this moment says of a row that is from the registry. */
export type MarkKind = 'gone' | 'differs' | 'failed'

const colors = { gone: 'red', differs: 'yellow', failed: 'gray' } as const

export function Mark({ kind }: { kind: MarkKind | undefined }) {
  const { t } = useTranslation('programs')
  if (kind === undefined) return null
  return (
    <Badge
      size="xs"
      variant="light"
      color={colors[kind]}
      tt="none"
      ms={6}
      flex="none"
      title={t(`mark_${kind}_long`)}
    >
      {t(`mark_${kind}`)}
    </Badge>
  )
}
