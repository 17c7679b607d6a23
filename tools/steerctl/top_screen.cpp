#include "top_screen.h"

#define NCURSES_NOMACROS  // functions, so that names such as `move` stay those of C++
#include <curses.h>
#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <cstring>

namespace steerctl {
namespace {

constexpr int kReadMs = 100, kEscapeMs = 25;

// Attributes and the pair of colours; a style without a colour differs by its attributes.
struct Appearance {
    attr_t attributes = A_NORMAL;
    short pair = 0;
};
Appearance appearance_of(Style style, bool has_colors) {
    switch (style) {
        case Style::plain:
            return {};
        case Style::heading:
            return {A_BOLD, 0};
        case Style::faint:
            return {A_DIM, 0};
        case Style::good:
            return {A_NORMAL, static_cast<short>(has_colors ? 1 : 0)};
        case Style::warning:
            return {A_NORMAL, static_cast<short>(has_colors ? 2 : 0)};
        case Style::bad:
            return {has_colors ? A_NORMAL : A_BOLD, static_cast<short>(has_colors ? 3 : 0)};
    }
    return {};
}

// Names are UTF-8: a locale that cannot show it would break the lines.
void use_utf8() {
    const char* const set = std::setlocale(LC_CTYPE, "");
    if (set == nullptr || std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

TopScreen::TopScreen(bool has_colors, std::string& error) {
    if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0) {
        error = "top needs a terminal; write --once for one screen as text";
        return;
    }
    use_utf8();
    screen_ = ::newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) {
        const char* const name = std::getenv("TERM");
        error = "terminal type '" + std::string(name == nullptr ? "" : name) +
                "' is not known; set TERM, or write --once for one screen as text";
        return;
    }
    ::set_escdelay(kEscapeMs);
    ::cbreak();
    ::noecho();
    ::keypad(stdscr, TRUE);
    ::curs_set(0);
    ::wtimeout(stdscr, kReadMs);
    has_colors_ = has_colors && ::has_colors() == TRUE;
    if (has_colors_) {
        ::start_color();
        ::use_default_colors();
        ::init_pair(1, COLOR_GREEN, -1);
        ::init_pair(2, COLOR_YELLOW, -1);
        ::init_pair(3, COLOR_RED, -1);
    }
}

TopScreen::~TopScreen() {
    if (screen_ == nullptr) return;
    ::endwin();
    ::delscreen(static_cast<SCREEN*>(screen_));
}

std::size_t TopScreen::width() {
    return static_cast<std::size_t>(getmaxx(stdscr));
}
std::size_t TopScreen::height() {
    return static_cast<std::size_t>(getmaxy(stdscr));
}

void TopScreen::show(const std::vector<TopLine>& lines) const {
    ::werase(stdscr);
    int y = 0;
    for (const TopLine& line : lines) {
        ::wmove(stdscr, y++, 0);
        for (const auto& [style, text] : line.spans) {
            const Appearance appearance = appearance_of(style, has_colors_);
            ::wattr_set(stdscr, appearance.attributes | (line.is_selected ? A_REVERSE : A_NORMAL),
                        appearance.pair, nullptr);
            ::waddnstr(stdscr, text.c_str(), static_cast<int>(text.size()));
        }
    }
    ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
    ::wrefresh(stdscr);
}

TopKey TopScreen::read(std::size_t& number) {
    const int key = ::wgetch(stdscr);
    if (key >= '1' && key <= '9') {
        number = static_cast<std::size_t>(key - '1');
        return TopKey::page;
    }
    switch (key) {
        case 'q':
        case 'Q':
            return TopKey::quit;
        case '?':
        case 'h':
        case KEY_F(1):
            return TopKey::help;
        case KEY_UP:
        case 'k':
            return TopKey::up;
        case KEY_DOWN:
        case 'j':
            return TopKey::down;
        case KEY_PPAGE:
            return TopKey::page_up;
        case KEY_NPAGE:
            return TopKey::page_down;
        case KEY_HOME:
            return TopKey::first;
        case KEY_END:
            return TopKey::last;
        case '\n':
        case '\r':
        case KEY_ENTER:
        case KEY_RIGHT:
            return TopKey::open;
        case '\x1b':
        case KEY_LEFT:
        case KEY_BACKSPACE:
        case '\x7f':
            return TopKey::back;
        case '\t':
            return TopKey::next_page;
        case KEY_BTAB:
            return TopKey::previous_page;
        case '>':
        case '.':
            return TopKey::sort_right;
        case '<':
        case ',':
            return TopKey::sort_left;
        case 'r':
            return TopKey::reverse;
        case 'p':
        case ' ':
            return TopKey::pause;
        case '\f':  // Ctrl-L: something else wrote to the terminal
            ::clearok(stdscr, TRUE);
            return TopKey::none;
        default:
            return TopKey::none;
    }
}

}  // namespace steerctl
