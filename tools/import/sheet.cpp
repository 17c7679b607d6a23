#include "tools/import/sheet.h"

#include <algorithm>
#include <array>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::size_t kWidth = 100, kIndent = 2;

// What needs no quotes: a word that begins with a letter and is none that YAML knows.
bool is_plain(std::string_view text) {
    constexpr std::array<std::string_view, 9> kKnown{"true", "false", "yes", "no", "on",
                                                     "off",  "null",  "y",   "n"};
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const bool is_word = !text.empty() && std::ranges::all_of(text, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
               c == '/';
    });
    const bool is_number = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && !text.empty()) return true;
    const bool is_duration = is_word && text.front() >= '0' && text.front() <= '9' &&
                             is_letter(text.back()) && text.find_first_of("./-_") == text.npos;
    if (is_duration) return true;
    return is_word && is_letter(text.front()) && !text.ends_with('.') &&
           std::ranges::find(kKnown, lowered(text)) == kKnown.end();
}

// `${` is a placeholder of ours, `$${` is not.
std::string without_placeholders(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("${")) out += '$';
        out += text[i];
    }
    return out;
}

void append_escaped(std::string& out, unsigned char byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
}

}  // namespace

std::string scalar(std::string_view text) {
    if (is_plain(text)) return std::string(text);
    const std::string good = to_utf8(without_placeholders(text));
    std::string out = "\"";
    for (std::size_t i = 0; i < good.size(); ++i) {
        const auto byte = static_cast<unsigned char>(good[i]);
        const auto next = i + 1 < good.size() ? static_cast<unsigned char>(good[i + 1]) : 0;
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += good[i];
        } else if (byte < 0x20 || byte == 0x7f) {
            append_escaped(out, byte);
        } else if (byte == 0xc2 && next < 0xa0) {  // the control characters of Latin-1
            append_escaped(out, static_cast<unsigned char>(next));
            ++i;
        } else {
            out += good[i];
        }
    }
    return out + '"';
}

std::string flow_list(const std::vector<std::string>& texts) {
    std::vector<std::string> out;
    out.reserve(texts.size());
    for (const std::string& text : texts)
        out.push_back(scalar(text));
    return "[" + join(out, ", ") + "]";
}

Flow& Flow::add(std::string_view key, std::string_view text) {
    return add_yaml(key, scalar(text));
}

Flow& Flow::add_yaml(std::string_view key, std::string_view yaml) {
    entries_.emplace_back(key, yaml);
    return *this;
}

std::string Flow::text() const {
    std::string out = "{ ";
    for (const auto& [key, value] : entries_)
        out.append(out.size() > 2 ? ", " : "").append(key).append(": ").append(value);
    return out + " }";
}

void Sheet::blank() {
    text_ += '\n';
}

void Sheet::line(std::string_view text) {
    text_.append(depth_ * kIndent, ' ').append(text) += '\n';
}

void Sheet::comment(std::string_view text) {
    std::string clean = to_utf8(text);
    for (char& c : clean) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    std::string row = "#";
    for (const std::string& word : split(clean, ' ')) {
        const bool fits = depth_ * kIndent + row.size() + 1 + word.size() <= kWidth;
        if (!fits && row.size() > 3) {
            line(row);
            row = "#  ";
        }
        row += ' ' + word;
    }
    line(row);
}

void Sheet::note(const Note& note) {
    noted_.push_back(note);
    comment("note" + (note.place.empty() ? "" : ", " + note.place) + ": " + note.text);
}

void Sheet::note(std::string_view place, std::string_view text) {
    note(Note{std::string(place), std::string(text)});
}

void Sheet::notes(const std::vector<Note>& all) {
    for (const Note& n : all)
        note(n);
}

void Sheet::open(std::string_view text) {
    line(text);
    ++depth_;
}

void Sheet::open_plugin(std::string_view tag, std::string_view type) {
    open("- tag: " + scalar(tag));
    line("type: " + std::string(type));
    open("args:");
}

void Sheet::close_plugin() {
    depth_ -= 2;
}

void Sheet::key(std::string_view key, std::string_view text) {
    line(std::string(key) + ": " + scalar(text));
}

}  // namespace steer::importing
