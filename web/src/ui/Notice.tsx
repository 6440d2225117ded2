import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

import classes from './Notice.module.css'

interface Props {
  icon?: ReactNode
  title: string
  text?: string
  children?: ReactNode
}

/** A page or a part of one that has only this to say. */
export function Notice({ icon, title, text, children }: Props) {
  return (
    <Stack className={classes.notice} align="center" gap="xs">
      {icon && <div className={classes.icon}>{icon}</div>}
      <Title order={2} ta="center">
        {title}
      </Title>
      {text && (
        <Text c="dimmed" ta="center" maw={440}>
          {text}
        </Text>
      )}
      {children && <div className={classes.actions}>{children}</div>}
    </Stack>
  )
}
