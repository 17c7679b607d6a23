#include "routeros/add_script.h"

#include <algorithm>
#include <charconv>
namespace steer::routeros {

namespace {

constexpr std::string_view kRefused = "!";

std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

// `$` begins a variable, `?` belongs to the terminal's help; a byte may be given in capital hexadecimal.
std::optional<std::string> script_string(std::string_view text) {
    constexpr std::string_view kSpecial = "\"\\$?", kHex = "0123456789ABCDEF";
    std::string out{"\""};
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == 0) return std::nullopt;
        if (byte < 0x20 || byte >= 0x7f) {
            out += {'\\', kHex[byte >> 4], kHex[byte & 15]};
            continue;
        }
        if (kSpecial.find(c) != kSpecial.npos) out += '\\';
        out += c;
    }
    return out + '"';
}

bool AddScript::add(std::string_view group, const Address& address, std::string_view comment,
                    const RowValues& values) {
    const std::string number = std::to_string(rows_);
    std::string path = table_.path();  // as in the terminal: with blanks
    std::replace(path.begin() + 1, path.end(), '/', ' ');
    std::string line = ":do {:put (\"" + number + " \".[" + path + " add";
    for (const RowArgument& argument : row_arguments(table_, group, address, comment, values)) {
        const auto text = argument.is_text ? script_string(argument.value) : argument.value;
        if (!text) return false;
        line.append(" ").append(argument.name).append("=").append(*text);
    }
    line += "])} on-error={:put \"" + number + " ";
    line.append(kRefused).append("\"}\n");
    if (source_.size() + line.size() > kMaxScriptBytes) return false;
    source_ += line;
    ++rows_;
    return true;
}

Command AddScript::command() const {
    Command command{forms::execute};
    command.attribute("script", source_).attribute("as-string", "");
    return command;
}

std::vector<AddResult> parse_add_output(std::string_view output, std::size_t rows) {
    std::vector<AddResult> results(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        std::string_view line = take_line(output);
        std::size_t number = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
        line.remove_prefix(static_cast<std::size_t>(end - line.data()));
        if (error != std::errc{} || number != i || !line.starts_with(' ')) return results;
        line.remove_prefix(1);
        if (line == kRefused) {
            results[i].kind = AddResult::Kind::refused;
        } else if (const RowId row = parse_row_id(line); row != 0) {
            results[i] = {AddResult::Kind::added, row};
        } else {
            return results;
        }
    }
    return results;
}

}  // namespace steer::routeros
