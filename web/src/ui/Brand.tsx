import { useTranslation } from 'react-i18next'

import classes from './Brand.module.css'
import mark from './mark.svg'

export function Brand() {
  const { t } = useTranslation()
  return (
    <span className={classes.brand}>
      <img src={mark} alt="" width={24} height={24} />
      {t('brand')}
    </span>
  )
}
