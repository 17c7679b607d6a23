#include "control/config/reference.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <ostream>
#include <sstream>
#include <vector>

#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::string_view kManHead = R"(.TH STEERDNS.YAML 5 "2026" "SteerDNS" "File formats"
.SH NAME
steerdns.yaml \- configuration of steerdnsd(8)
.SH SYNOPSIS
.B /etc/steerdns/steerdns.yaml
.SH DESCRIPTION
)";
constexpr std::string_view kManTail = R"(.SH SEE ALSO
.BR steerdnsd (8),
.BR steerctl (8)
)";

// After a byte of text: bytes 10xxxxxx belong to the previous character.
std::uint32_t take_character(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    if (first < 0x80) return first;
    std::uint32_t code = first & (first >= 0xF0 ? 0x07U : first >= 0xE0 ? 0x0FU : 0x1FU);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U) {
        code = code << 6U | (static_cast<unsigned char>(text.front()) & 0x3FU);
        text.remove_prefix(1);
    }
    return code;
}

// Characters that mean something to roff become plain ones. A hyphen of code must stay one when it is copied.
std::string roff_text(std::string_view text, bool is_code) {
    std::string out;
    while (!text.empty()) {
        const std::uint32_t c = take_character(text);
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-' && is_code) {
            out += "\\-";
        } else if (c == '^') {
            out += "\\(ha";
        } else if (c == '~') {
            out += "\\(ti";
        } else if (c == '`') {
            out += "\\(ga";
        } else if (c == '\'' && is_code) {
            out += "\\(aq";
        } else if (c < 0x80) {
            out += static_cast<char>(c);
        } else {
            std::array<char, 16> name{};
            std::snprintf(name.data(), name.size(), "\\[u%04X]", static_cast<unsigned>(c));
            out += name.data();
        }
    }
    return out;
}

// Code, emphasis and links within a line.
std::string inline_text(std::string_view text) {
    std::string out, plain;
    const auto flush = [&] {
        out += roff_text(plain, false);
        plain.clear();
    };
    while (!text.empty()) {
        const std::string_view mark = text.starts_with("**")  ? "**"
                                      : text.starts_with('`') ? "`"
                                                              : "";
        if (!mark.empty()) {
            const auto end = text.find(mark, mark.size());
            if (end != std::string_view::npos) {
                flush();
                const std::string_view inside = text.substr(mark.size(), end - mark.size());
                // (Code in bold text loses its marks.)
                std::string bare;
                for (const char c : inside)
                    if (mark == "`" || c != '`') bare += c;
                out += "\\fB" + roff_text(bare, mark == "`") + "\\fR";
                text.remove_prefix(end + mark.size());
                continue;
            }
        }
        if (text.front() == '[') {
            const auto middle = text.find("](");
            const auto end = middle == std::string_view::npos ? middle : text.find(')', middle);
            if (end != std::string_view::npos &&
                text.substr(1, middle - 1).find('[') == std::string_view::npos) {
                flush();
                out += inline_text(text.substr(1, middle - 1));
                text.remove_prefix(end + 1);
                continue;
            }
        }
        if (text.front() == '\\' && text.size() > 1 && text[1] == '|') text.remove_prefix(1);
        plain += text.front();
        text.remove_prefix(1);
    }
    flush();
    return out;
}

// Text that resembles a request at the start of a line must not become one.
std::string text_line(std::string line) {
    if (line.starts_with('.') || line.starts_with('\'')) line.insert(0, "\\&");
    return line + "\n";
}

// The cells of a row; `\|` is no border, and neither is one in code.
std::vector<std::string> row_cells(std::string_view row) {
    std::vector<std::string> cells(1);
    row.remove_prefix(1);
    while (!row.empty()) {
        if (row.starts_with("\\|")) {
            cells.back() += '|';
            row.remove_prefix(2);
            continue;
        }
        if (row.front() == '|') {
            cells.emplace_back();
        } else {
            cells.back() += row.front();
        }
        row.remove_prefix(1);
    }
    cells.pop_back();  // behind the last border
    for (std::string& cell : cells)
        cell = std::string(matchers::trimmed(cell));
    return cells;
}

std::string in_capitals(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

class ManPage {
  public:
    void line(std::string_view text) {
        if (is_fenced_) {
            if (text.starts_with("```")) {
                end_code();
            } else {
                out_ += text_line(roff_text(text, true));
            }
            return;
        }
        if (text.starts_with("```")) {
            begin_code();
            is_fenced_ = true;
            return;
        }
        if (text.starts_with("    ") && !is_item_ && paragraph_.empty()) {
            if (!is_indented_) begin_code();
            is_indented_ = true;
            out_ += text_line(roff_text(text.substr(4), true));
            return;
        }
        if (is_indented_) end_code();
        if (text.starts_with('|')) return table_row(text);
        header_.clear();
        if (text.empty()) {
            end_paragraph();
            // (Items of a list follow each other without a blank line.)
            is_item_ = false;
            return;
        }
        if (text.starts_with('#')) return heading(text);
        if (text.starts_with("- ")) {
            end_paragraph();
            is_item_ = true;
            text.remove_prefix(2);
        } else if (is_item_ && text.starts_with("  ")) {
            text.remove_prefix(2);
        }
        paragraph_ += (paragraph_.empty() ? "" : " ") + std::string(text);
    }

    std::string end() {
        end_paragraph();
        if (is_indented_ || is_fenced_) end_code();
        return std::move(out_);
    }

  private:
    void begin_code() {
        end_paragraph();
        out_ += ".PP\n.RS 4\n.EX\n";
    }

    void end_code() {
        out_ += ".EE\n.RE\n";
        is_fenced_ = is_indented_ = false;
    }

    void end_paragraph() {
        if (paragraph_.empty()) return;
        // (A heading is followed by its text without a request.)
        if (is_item_) {
            out_ += ".IP \\[u2022] 2\n";
        } else if (!is_after_heading_) {
            out_ += ".PP\n";
        }
        is_after_heading_ = false;
        out_ += text_line(inline_text(paragraph_));
        paragraph_.clear();
    }

    void heading(std::string_view text) {
        end_paragraph();
        const auto level = text.find_first_not_of('#');
        std::string title;
        for (const char c : text.substr(level + 1))
            if (c != '`') title += c;
        if (level == 1) return;
        out_ += (level == 2 ? ".SH " + roff_text(in_capitals(title), true)
                            : ".SS " + roff_text(title, true)) +
                "\n";
        is_after_heading_ = true;
    }

    // A setting is its name with type and default, then its description. Other tables become a list of first cells.
    void table_row(std::string_view text) {
        end_paragraph();
        is_after_heading_ = false;
        const auto cells = row_cells(text);
        if (header_.empty()) {
            header_ = cells;
            return;
        }
        if (cells.front().find_first_not_of('-') == std::string::npos) return;  // below the header
        out_ += ".TP\n" + text_line(inline_text(cells.front()));
        const bool is_setting = header_.size() == 4 && header_[1] == "type";
        if (is_setting && cells.size() == 4) {
            const std::string first = cells[2].empty() ? cells[1]
                                                       : cells[1] + (cells[2] == "**required**"
                                                                         ? ", required"
                                                                         : "; default " + cells[2]);
            out_ += text_line(inline_text(first)) + ".br\n" + text_line(inline_text(cells[3]));
            return;
        }
        for (std::size_t i = 1; i < cells.size(); ++i) {
            if (i > 1) out_ += ".br\n";
            out_ += text_line((i > 1 && i < header_.size() ? inline_text(header_[i]) + ": " : "") +
                              inline_text(cells[i]));
        }
    }

    std::string out_, paragraph_;
    std::vector<std::string> header_;  // of the table that we are in
    bool is_item_ = false, is_fenced_ = false, is_indented_ = false, is_after_heading_ = true;
};

}  // namespace

std::string roff_of_markdown(std::string_view markdown) {
    ManPage page;
    while (!markdown.empty()) {
        const auto end = markdown.find('\n');
        page.line(markdown.substr(0, end));
        markdown.remove_prefix(end == std::string_view::npos ? markdown.size() : end + 1);
    }
    return page.end();
}

void write_man_page(std::ostream& out) {
    std::ostringstream markdown;
    write_reference(markdown);
    out << kManHead << roff_of_markdown(markdown.view()) << kManTail;
}

}  // namespace steer::config
