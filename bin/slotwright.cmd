@echo off
rem The command line on Windows: the same station as the window's, run by Electron as plain Node.
setlocal
set "ROOT=%~dp0.."
if not exist "%ROOT%\.runtime\electron-path" goto setup
if not exist "%ROOT%\out\cli\start.js" goto setup
goto run
:setup
node "%ROOT%\scripts\setup.mjs" --quiet 1>&2 || exit /b 1
:run
set /p ELECTRON=<"%ROOT%\.runtime\electron-path"
set ELECTRON_RUN_AS_NODE=1
"%ELECTRON%" "%ROOT%\out\cli\start.js" %*
exit /b %ERRORLEVEL%
