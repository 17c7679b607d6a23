// The kind of standard output (a terminal, its width, its colours), and text for it: styles and
// columns.
//
// Without a terminal, text is not styled, cut or wrapped, so scripts always get the same text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace steerctl {

enum class ColorChoice : std::uint8_t { automatic, always, never };  // of --color

struct Screen {
    bool as_json = false;
    bool has_colors = false, errors_have_colors = false;  // of standard output, standard error
    unsigned width = 0;                                   // in columns; 0: no limit
};

// `automatic`: colours on a terminal that has them, unless NO_COLOR is set (no-color.org) or TERM
// is "dumb".
Screen detect_screen(ColorChoice colors, bool as_json, bool is_wide);
void set_screen(const Screen& screen);
const Screen& screen();

enum class Style : std::uint8_t { plain, heading, faint, good, warning, bad };

// Returns the text between marks, which output.h converts to colours; unchanged if standard output
// has no colours. `text` is safe text. A mark is a control character, which safe text does not
// contain, so foreign text cannot contain a mark.
std::string styled(Style style, std::string_view text);
Style style_of_state(std::string_view text);
std::string styled_state(std::string_view text);  // "in_sync" is good, "disconnected" is bad
std::string_view color_of(Style style);           // the terminal's sequence

inline constexpr char kMark = '\x1f';  // before a digit: Style; plain ends a styled text

// A text, in marks or not, as its style and content.
struct Styled {
    Style style = Style::plain;
    std::string_view text;
};
Styled without_mark(std::string_view text);

std::size_t display_width(std::string_view text);             // of safe text without marks
std::string cut(std::string_view text, std::size_t columns);  // ends in "…" if it was cut

}  // namespace steerctl
