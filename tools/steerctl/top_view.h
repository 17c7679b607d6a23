// The display of `steerctl top`: keys change a view; a model and a view give the lines of a screen.
// Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "screen.h"
#include "top_model.h"

namespace steerctl {

enum class TopKey : std::uint8_t {
    none,
    quit,
    up,
    down,
    page_up,
    page_down,
    first,
    last,
    open,
    back,
    next_page,
    previous_page,
    sort_right,
    sort_left,
    reverse,
    pause,
    help,
    page,  // one of TopView::pages, by its number
};

struct TopView {
    TopPage page = TopPage::overview;
    bool is_detail = false, has_help = false, is_paused = false;
    std::string key;           // of the selected row, or of the row in detail
    std::size_t selected = 0;  // its index; in the overview: the section
    std::size_t scrolled = 0;  // lines of a detail
    struct Sort {
        std::size_t column = 0;
        bool is_chosen = false, is_reversed = false;
    };
    std::array<Sort, kTopPages.size()> sorts{};
};

// Returns false if the key ends the program. `number`: for TopKey::page, from 0.
bool press(TopView& view, const TopModel& model, TopKey key, std::size_t number = 0);

// A line of the screen: texts with their styles, safe and not longer than the width.
struct TopLine {
    std::vector<std::pair<Style, std::string>> spans;
    bool is_selected = false;
};

// Returns exactly `height` lines.
std::vector<TopLine> draw(const TopModel& model, const TopView& view, std::size_t width,
                          std::size_t height);
// Returns all pages one after another, without the limits of a terminal: for --once.
std::string plain_text(const TopModel& model);

}  // namespace steerctl
