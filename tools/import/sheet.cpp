#include "tools/import/sheet.h"

#include "matchers/yaml_scalar.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::size_t kWidth = 100, kIndent = 2;

}  // namespace

std::string scalar(std::string_view text) {
    return yaml_scalar(to_utf8(text));
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
