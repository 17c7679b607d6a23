#include "control/program/build/build_steps.h"

#include <algorithm>
#include <array>
#include <vector>

#include "matchers/safe_text.h"

namespace steer::build {
namespace {

constexpr std::size_t kMaxLine = 160;

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

// What follows one of these words up to a blank, comma, quote or bracket; what stands before an '@'
// of a URL.
std::string without_secrets(std::string text) {
    constexpr std::string_view kHidden = "***";
    constexpr std::array<std::string_view, 3> kWords{"password", "secret", "token"};
    for (const std::string_view word : kWords) {
        for (std::size_t at = text.find(word); at != std::string::npos;
             at = text.find(word, at + 1)) {
            const std::size_t from = text.find_first_not_of(":= \"'", at + word.size());
            if (from == std::string::npos) break;
            const std::size_t end = std::min(text.find_first_of(" ,\"'}", from), text.size());
            text.replace(from, end - from, kHidden);
        }
    }
    for (std::size_t at = text.find("//"); at != std::string::npos; at = text.find("//", at + 2)) {
        const std::size_t end = std::min(text.find_first_of("/ \"',", at + 2), text.size());
        const std::size_t mark = text.rfind('@', end - 1);
        if (mark != std::string::npos && mark > at) text.replace(at + 2, mark - at - 2, kHidden);
    }
    return text;
}

}  // namespace

std::string shown_line(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (line.starts_with("- ")) line.remove_prefix(2);
    return without_secrets(std::string(whole_bytes(line, kMaxLine)));
}

void write_source(const config::Settings& settings, Snapshot& snapshot) {
    ProgramSource& source = snapshot.source;
    source.files.assign(1, settings.file);
    source.files.insert(source.files.end(), settings.included.begin(), settings.included.end());
    std::vector<std::vector<std::string_view>> lines(source.files.size());
    for (std::size_t f = 0; f < source.files.size(); ++f) {
        const auto text = settings.texts.find(source.files[f]);
        if (text != settings.texts.end()) lines[f] = lines_of(text->second.text());
    }
    source.texts.resize(source.places.size());
    for (std::size_t pc = 0; pc < source.places.size(); ++pc) {
        const ProgramSource::Place& place = source.places[pc];
        if (place.line == 0 || place.file >= lines.size()) continue;
        if (place.line > lines[place.file].size()) continue;
        source.texts[pc] = shown_line(lines[place.file][place.line - 1]);
    }
}

}  // namespace steer::build
