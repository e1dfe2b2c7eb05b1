// The start: looks and language, the first screen, and then the engine.
import './ui/css/tokens.css'
import './ui/css/base.css'
import './ui/css/controls.css'
import './ui/css/avatar.css'
import './ui/css/shell.css'
import './ui/css/list.css'
import './ui/css/overlay.css'
import { start } from './app/start.tsx'

void start()
