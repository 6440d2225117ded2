import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

import classes from './Notice.module.css'

interface Props {
  icon?: ReactNode
  title: string
  text?: string
  children?: ReactNode
  /** Whether it is all that the page has. */
  page?: boolean
}

/** A page or a part of one that has only this to say. */
export function Notice({ icon, title, text, children, page = false }: Props) {
  return (
    <Stack component={page ? 'main' : 'div'} className={classes.notice} align="center" gap="xs">
      {icon && <div className={classes.icon}>{icon}</div>}
      <Title order={page ? 1 : 2} size="h2" ta="center">
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
