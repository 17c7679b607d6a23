#include "tools/import/unbound.h"

#include <algorithm>

#include "tools/import/unbound_options.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr unsigned kMostLevels = 16;
constexpr std::size_t kMostFiles = 2000;

bool is_blank_unbound(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The words of one file (unbound's configlexer.lex).
class UnboundWords {
  public:
    UnboundWords(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

    [[nodiscard]] std::string place() const {
        return line_place(line_) + (name_.empty() ? "" : " of " + name_);
    }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] int line() const { return line_; }

    // Skips blanks, lines and comments; false: the end.
    bool skip() {
        while (!text_.empty()) {
            if (text_.front() == '#') {
                text_.remove_prefix(std::min(text_.find('\n'), text_.size()));
            } else if (is_blank_unbound(text_.front())) {
                if (text_.front() == '\n') ++line_;
                text_.remove_prefix(1);
            } else {
                return true;
            }
        }
        return false;
    }
    // "NAME:"; empty: no such word is here.
    std::string keyword() {
        const auto end = text_.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-");
        if (end == std::string_view::npos || end == 0 || text_[end] != ':') return {};
        std::string out(text_.substr(0, end));
        text_.remove_prefix(end + 1);
        return out;
    }
    // A value, with or without quotes; nothing: the end, or a quote that is not closed.
    std::optional<std::string> value() {
        if (!skip()) return std::nullopt;
        const char quote = text_.front();
        if (quote == '"' || quote == '\'') {
            const auto end = end_of_value(std::string{quote, '\n'}, 1);
            if (end == text_.size() || text_[end] == '\n') return std::nullopt;
            std::string out(text_.substr(1, end - 1));
            text_.remove_prefix(end + 1);
            return out;
        }
        const auto end = end_of_value(" \t\r\n\"'", 0);
        std::string out(text_.substr(0, end));
        text_.remove_prefix(end);
        return out;
    }
    std::string rest_of_line() {
        const auto end = std::min(text_.find('\n'), text_.size());
        std::string out(trimmed(text_.substr(0, end)));
        text_.remove_prefix(end);
        return out;
    }

  private:
    // The first of these characters; `\` keeps the next one, and itself.
    [[nodiscard]] std::size_t end_of_value(std::string_view ends, std::size_t from) const {
        while (from < text_.size() && ends.find(text_[from]) == std::string_view::npos) {
            const bool is_escape =
                text_[from] == '\\' && from + 1 < text_.size() && text_[from + 1] != '\n';
            from += is_escape ? 2 : 1;
        }
        return from;
    }

    std::string_view text_;
    std::string name_;
    int line_ = 1;
};

class UnboundReader {
  public:
    explicit UnboundReader(const IncludeReader& include) : include_(include) {}

    UnboundFile read(std::string_view text, const std::vector<IncludedText>& more) {
        read_file(UnboundWords(text, {}), text, 0);
        for (const IncludedText& file : more) {
            ends_clause_ = true;
            if (!out_.failure) read_included(file, line_place(1), 0);
        }
        if (!out_.failure && !is_known_)
            out_.failure =
                Failure{0, "is not a configuration of unbound: no line has an option of unbound"};
        return std::move(out_);
    }

  private:
    void note(const std::string& place, std::string text) {
        out_.notes.push_back({place, std::move(text)});
    }
    // Of the first file: the import ends. Of another one: that file ends.
    void fail(const UnboundWords& words, int line, const std::string& why) {
        if (words.name().empty()) {
            out_.failure = Failure{line, why};
        } else {
            note(line_place(line) + " of " + words.name(), "the rest of this file " + why);
        }
    }

    void read_file(UnboundWords words, std::string_view text, unsigned level) {
        if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
            const auto lines = std::ranges::count(text.substr(0, zero), '\n');
            return fail(words, 1 + static_cast<int>(lines), "is not text: it has a zero byte");
        }
        while (!out_.failure && words.skip()) {
            const std::string place = words.place();
            const int line = words.line();
            const std::string name = words.keyword();
            if (name.empty()) {
                note(place, in_quotes(words.rest_of_line()) +
                                " is not imported: expected an option such as 'port: 53'");
            } else if (is_unbound_clause(name)) {
                is_known_ = true;
                ends_clause_ = false;
                out_.clauses.push_back({place, name, {}});
            } else if (name == "include" || name == "include-toplevel") {
                const auto pattern = words.value();
                if (!pattern) return fail(words, line, "has a quote that is not closed");
                include(words, place, *pattern, level);
                if (name == "include-toplevel") ends_clause_ = true;
            } else if (!option(words, place, name)) {
                return fail(words, line, "has a quote that is not closed");
            }
        }
    }

    bool option(UnboundWords& words, const std::string& place, const std::string& name) {
        const std::string clause =
            out_.clauses.empty() || ends_clause_ ? "server" : out_.clauses.back().name;
        const UnboundKnown* const known = find_unbound_option(clause, name);
        if (known == nullptr) {
            const std::string rest = words.rest_of_line();
            note(place, in_quotes(name + ": " + rest) +
                            " is not imported: this is not a known option of " +
                            (clause == "server" ? "unbound" : in_quotes(clause)));
            return true;
        }
        is_known_ = true;
        UnboundOption out{place, name, {}};
        for (unsigned i = 0; i < known->args; ++i) {
            auto value = words.value();
            if (!value) return false;
            out.args.push_back(std::move(*value));
        }
        if (out_.clauses.empty() || ends_clause_) out_.clauses.push_back({place, "server", {}});
        ends_clause_ = false;
        out_.clauses.back().options.push_back(std::move(out));
        return true;
    }

    void include(const UnboundWords& from, const std::string& place, const std::string& pattern,
                 unsigned level) {
        is_known_ = true;
        const auto slash = from.name().rfind('/');
        const bool is_below = !pattern.starts_with('/') && slash != std::string::npos;
        const std::string full = is_below ? from.name().substr(0, slash + 1) + pattern : pattern;
        if (level >= kMostLevels) return note(place, "more than 16 levels of includes");
        const auto files = include_(full);
        if (files.empty()) note(place, "no file is named " + in_quotes(full));
        for (const IncludedText& file : files) {
            if (++files_ > kMostFiles) return note(place, "more than 2000 included files");
            read_included(file, place, level);
        }
    }

    void read_included(const IncludedText& file, const std::string& place, unsigned level) {
        if (!file.text) return note(place, "the file " + in_quotes(file.name) + " cannot be read");
        read_file(UnboundWords(*file.text, file.name), *file.text, level + 1);
    }

    const IncludeReader& include_;
    UnboundFile out_;
    bool is_known_ = false, ends_clause_ = false;
    std::size_t files_ = 0;
};

}  // namespace

UnboundFile read_unbound(std::string_view text, const IncludeReader& include,
                         const std::vector<IncludedText>& more) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    return UnboundReader(include).read(text, more);
}

}  // namespace steer::importing
