#include "control/config/text/engine_lines.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "control/config/report.h"
#include "control/config/text/engine_options.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kIncludes[] = {"include:", "include-toplevel:"};

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

// `*`, `?`, `[`, `{` and `~`: unbound opens what a pattern matches (trusted-keys-file).
bool is_engine_path(std::string_view path) {
    if (path.empty()) return true;  // none
    if (path.find_first_of("*?[{~\\") != path.npos) return false;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        if (path.substr(begin, end - begin) == "..") return false;
        begin = end + 1;
    }
    return !path.starts_with('/') ||
           std::ranges::any_of(kEngineFolders, [&](std::string_view folder) {
               return path.starts_with(folder) && path.size() > folder.size();
           });
}

bool are_engine_modules(std::string_view text) {
    bool has_any = false;
    for (std::size_t at = 0; (at = text.find_first_not_of(kBlanks, at)) != text.npos;) {
        const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
        if (std::ranges::find(kEngineModules, text.substr(at, end - at)) ==
            std::end(kEngineModules))
            return false;
        has_any = true;
        at = end;
    }
    return has_any;
}

// Why the option may not have this word; empty: it may.
std::string refusal_of(EngineValue kind, const std::string& word) {
    if (kind == EngineValue::file && !is_engine_path(word))
        return "reads a file: expected one below /var/lib/unbound, /usr/share or /etc/ssl/certs, "
               "found " +
               matchers::quoted(word);
    if (kind == EngineValue::modules && !are_engine_modules(word))
        return "may have the modules respip, subnetcache, validator and iterator, found " +
               matchers::quoted(word);
    return {};
}

class EngineReader {
  public:
    EngineLines all(std::span<const Text> lines) {
        for (const Text& line : lines) {
            rest_ = line.value;
            number_ = line.line;
            read_line();
            if (missing_ == 0) end_unit();
        }
        if (missing_ != 0) {
            number_ = unit_.statements.back().line;
            refuse(name_text(option_->name),
                   "has " + std::to_string(missing_) +
                       " values less than it needs: write them behind it");
            end_unit();
        }
        return std::move(out_);
    }

  private:
    // Lines that are taken or left out together: one, or those that an option is spread over.
    struct Unit {
        std::vector<EngineStatement> statements;
        std::optional<EngineRefusal> refusal;
        bool begins_clause = false;
    };

    static std::string name_text(std::string_view name) { return "'" + std::string(name) + "'"; }

    // The rest of the line is not read.
    void refuse(std::string what, std::string why) {
        const bool has_clause =
            std::ranges::any_of(engine_clauses(), [&](const EngineClause& clause) {
                return rest_.find(std::string(clause.name) + ":") != rest_.npos;
            });
        unit_.begins_clause = unit_.begins_clause || has_clause;
        unit_.refusal =
            EngineRefusal{number_, std::move(what), std::move(why), unit_.begins_clause};
        rest_ = {};
        missing_ = 0;
    }

    void read_line() {
        if (rest_.find('\n') != rest_.npos)
            return refuse("an item", "has several lines: write each as an item of its own");
        if (has_control_character(rest_))
            return refuse("an item", "has a control character: remove it");
        while (skip_blanks()) {
            if (missing_ != 0) {
                read_word();
            } else {
                read_name();
            }
        }
    }

    // False: the line is over.
    bool skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
        return !rest_.empty() && rest_.front() != '#';
    }

    // The end of the letters of a word without quotes; `stops`: what ends it, as blanks do.
    [[nodiscard]] std::size_t end_of_letters(std::string_view stops) const {
        std::size_t end = 0;
        while (end < rest_.size() && kBlanks.find(rest_[end]) == kBlanks.npos &&
               stops.find(rest_[end]) == stops.npos) {
            if (rest_[end] == '\\') {
                if (end + 1 == rest_.size()) break;  // it keeps nothing
                ++end;
            }
            ++end;
        }
        return end;
    }

    void read_name() {
        const std::size_t end = end_of_letters(":\"'");
        if (end == 0 || end == rest_.size() || rest_[end] != ':') {
            if (is_in_other_clause()) return skip_line();
            return refuse(matchers::quoted(std::string(rest_)),
                          "is no option: expected NAME: VALUE");
        }
        const std::string_view name = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        if (const EngineClause* const clause = find_engine_clause(name))
            return begin_clause(*clause);
        if (is_in_other_clause()) return skip_line();
        const EngineOption* const option = find_engine_option(clause_, name);
        if (option == nullptr) return refuse_option(name);
        option_ = option;
        missing_ = option->words;
        unit_.statements.push_back({option->name, false, {}, number_});
    }

    void begin_clause(const EngineClause& clause) {
        clause_ = clause.bit;
        unit_.begins_clause = true;
        if (clause.bit == 0)
            return refuse(name_text(clause.name), "may not be here: remove it and its lines");
        unit_.statements.push_back({clause.name, true, {}, number_});
    }

    // The lines of a clause that may not be here are left out with it.
    [[nodiscard]] bool is_in_other_clause() const { return clause_ == 0; }
    void skip_line() { rest_ = {}; }

    void refuse_option(std::string_view name) {
        std::vector<std::string_view> names;
        const EngineOption* elsewhere = nullptr;
        for (const EngineOption& one : engine_options()) {
            if ((one.clauses & clause_) != 0) names.push_back(one.name);
            if (one.name == name) elsewhere = &one;
        }
        // One that stands alone may begin a clause of a later unbound.
        unit_.begins_clause = unit_.begins_clause || !skip_blanks();
        if (elsewhere != nullptr) {
            const auto clause = std::ranges::find_if(
                engine_clauses(),
                [&](const EngineClause& one) { return (one.bit & elsewhere->clauses) != 0; });
            return refuse(name_text(name),
                          "belongs into the clause '" + std::string(clause->name) + ":'");
        }
        const std::string hint = did_you_mean(name, names);
        refuse(name_text(name),
               "may not be here" + (hint.empty() ? std::string(": remove it") : hint));
    }

    void read_word() {
        const char first = rest_.front();
        if (first == '"' || first == '\'') return read_quoted(first);
        const std::size_t end = end_of_letters("\"'");
        const std::string_view word = rest_.substr(0, end);
        if (word.empty()) return refuse(name_text(option_->name), "ends in a backslash: remove it");
        if (std::ranges::find(kIncludes, word) != std::end(kIncludes))
            return refuse(name_text(word.substr(0, word.size() - 1)), "may not be here: remove it");
        take_word(word, '"', end);
    }

    void read_quoted(char quote) {
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            if (rest_[at] == quote) return take_word(rest_.substr(1, at - 1), quote, at + 1);
            if (rest_[at] == '\\') ++at;
        }
        refuse(name_text(option_->name), "has a quote that does not end on its line");
    }

    void take_word(std::string_view word, char quote, std::size_t length) {
        EngineWord taken{std::string(word), quote};
        rest_.remove_prefix(length);
        if (std::string why = refusal_of(option_->value, taken.text); !why.empty())
            return refuse(name_text(option_->name), std::move(why));
        unit_.statements.back().words.push_back(std::move(taken));
        --missing_;
    }

    // ---- what is left out

    void end_unit() {
        Unit unit = std::exchange(unit_, {});
        if (unit.refusal) {
            is_dropping_ = is_dropping_ || unit.begins_clause;
            out_.refusals.push_back(*std::move(unit.refusal));
            return;
        }
        auto from = unit.statements.begin();
        if (is_dropping_)
            from = std::ranges::find_if(unit.statements, &EngineStatement::begins_clause);
        if (from == unit.statements.end()) return;
        is_dropping_ = false;
        out_.statements.insert(out_.statements.end(), std::make_move_iterator(from),
                               std::make_move_iterator(unit.statements.end()));
    }

    EngineLines out_;
    Unit unit_;
    std::string_view rest_;  // of the line
    int number_ = 0;
    EngineClauses clause_ = find_engine_clause("server")->bit;  // 0: one that may not be here
    const EngineOption* option_ = nullptr;
    unsigned missing_ = 0;      // words of option_
    bool is_dropping_ = false;  // lines of a clause that is left out
};

}  // namespace

EngineLines read_engine_lines(std::span<const Text> lines) {
    return EngineReader().all(lines);
}

}  // namespace steer::config
