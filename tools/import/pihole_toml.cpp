#include "tools/import/pihole_toml.h"

#include <algorithm>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

bool is_key_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

class TomlReader {
  public:
    explicit TomlReader(std::string_view text) : rest_(text) {}

    TomlFile read() {
        while (!out_.failure) {
            skip(true);
            if (rest_.empty()) break;
            if (rest_.front() == '[') {
                table();
            } else {
                entry();
            }
        }
        return std::move(out_);
    }

  private:
    void fail(std::string text) {
        if (!out_.failure) out_.failure = Failure{line_, std::move(text)};
    }

    // Blanks and comments; with `lines`, line ends as well.
    void skip(bool lines) {
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (c == '#') {
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
            } else if (c == '\n' && lines) {
                ++line_;
                rest_.remove_prefix(1);
            } else if (is_blank(c) && c != '\n') {
                rest_.remove_prefix(1);
            } else {
                return;
            }
        }
    }

    std::string word() {
        const auto end = std::ranges::find_if_not(rest_, is_key_char);
        std::string out(rest_.begin(), end);
        rest_.remove_prefix(out.size());
        return out;
    }

    void end_of_line() {
        skip(false);
        if (!rest_.empty() && rest_.front() != '\n') fail("expected the end of the line");
    }

    void table() {
        rest_.remove_prefix(1);
        skip(false);
        table_ = word();
        skip(false);
        if (table_.empty() || rest_.empty() || rest_.front() != ']')
            return fail("expected [TABLE]");
        rest_.remove_prefix(1);
        end_of_line();
    }

    void entry() {
        TomlEntry made;
        made.line = line_;
        const std::string key = word();
        skip(false);
        if (key.empty() || rest_.empty() || rest_.front() != '=')
            return fail("expected KEY = VALUE");
        rest_.remove_prefix(1);
        skip(false);
        made.key = table_.empty() ? key : table_ + "." + key;
        if (!rest_.empty() && rest_.front() == '[') {
            made.is_list = true;
            list(made.values);
        } else {
            made.values.push_back(value());
        }
        if (!out_.failure) end_of_line();
        if (!out_.failure) out_.entries.push_back(std::move(made));
    }

    void list(std::vector<std::string>& to) {
        rest_.remove_prefix(1);
        for (;;) {
            skip(true);
            if (rest_.empty()) return fail("expected ']' at the end of a list");
            if (rest_.front() == ']') return rest_.remove_prefix(1);
            to.push_back(value());
            if (out_.failure) return;
            skip(true);
            if (!rest_.empty() && rest_.front() == ',') {
                rest_.remove_prefix(1);
            } else if (rest_.empty() || rest_.front() != ']') {
                return fail("expected ',' or ']' in a list");
            }
        }
    }

    std::string value() {
        if (rest_.empty() || rest_.front() != '"') {
            std::string out = word();
            if (out.empty()) fail("expected a text in quotes, a number, true or false");
            return out;
        }
        std::string out;
        rest_.remove_prefix(1);
        while (!rest_.empty() && rest_.front() != '"' && rest_.front() != '\n') {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '\\' && !rest_.empty()) {
                c = rest_.front();
                rest_.remove_prefix(1);
                if (c == 'n' || c == 't' || c == 'r') c = ' ';
                if (c == 'u' || c == 'U') {
                    fail("has an escape of Unicode, which is not supported: write the character");
                    return out;
                }
            }
            out += c;
        }
        if (rest_.empty() || rest_.front() != '"') {
            fail("expected '\"' at the end of a text");
        } else {
            rest_.remove_prefix(1);
        }
        return out;
    }

    std::string_view rest_;
    TomlFile out_;
    std::string table_;
    int line_ = 1;
};

}  // namespace

TomlFile read_pihole_toml(std::string_view text) {
    return TomlReader(text).read();
}

}  // namespace steer::importing
