#!/bin/sh
# `make run`: opens the window where there is a display; does the main job without one otherwise.
#
# The display is tried, not believed: DISPLAY often outlives the screen it named (ssh, tmux, a
# container), and Qt ends a process in such a place with a crash dump.
set -eu
cd -- "$(dirname -- "$0")/.."
lakedrop=.venv/bin/lakedrop
display=${WAYLAND_DISPLAY:-${DISPLAY:-}}

# Empty where a window can be opened; else why not, in words.
why_no_window() {
    if [ "$(uname -s)" = Linux ] && [ -z "$display" ]; then
        echo "There is no display here"
        return
    fi
    if ! shown_on=$(
        exec 3>&1 2>/dev/null  # this shell's own words about a child that aborted
        ulimit -c 0            # no core file of it either
        .venv/bin/python -E -s packaging/try_display.py 2>&3 </dev/null
        exit $?                # so that the shell waits for it, instead of becoming it
    ); then
        case $shown_on in
            *"not connect to display"* | *wl_display*) echo "The display $display cannot be used" ;;
            *"cannot open shared object"* | *"Could not load the Qt platform plugin"*)
                echo "The window's libraries are not complete (make setup says what is missing)" ;;
            *) echo "The display $display cannot be used" ;;
        esac
        return
    fi
    case $shown_on in
        *offscreen | *minimal) echo "QT_QPA_PLATFORM=$QT_QPA_PLATFORM shows no window" ;;
    esac
}

why=$(why_no_window)
[ -n "$why" ] || exec "$lakedrop"
echo "$why, so LakeDrop uploads its sample data without the window." >&2
exec "$lakedrop" demo --folder .demo
