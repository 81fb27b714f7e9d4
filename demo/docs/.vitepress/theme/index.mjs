// VitePress's own theme, with tables that fit on a phone.
import DefaultTheme from 'vitepress/theme'
import './style.css'

export default DefaultTheme
