// A running script: the router's CPU pays for each statement before it takes effect.
//
// A command costs base / script_row_base_divisor, the rows that its finds scan, and its writes as
// the same write over the API costs; the rest of a script costs nothing. A refusal ends the script,
// or the innermost `:do` with an `on-error`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/rossim/commands.h"
#include "tools/rossim/script_syntax.h"

namespace rossim {

// Returns the menus and commands that scripts of this router may name.
ScriptMenus script_menus(const Machine& machine);

class ScriptRun {
  public:
    ScriptRun(Caller caller, std::vector<Statement> script);

    bool is_over() const { return stack_.empty(); }
    // Returns the cost of the next step and, up to a slice, of those after it.
    std::int64_t wants_us() const;
    // Spends `cpu_us` on as many steps as it covers.
    void work(std::int64_t cpu_us, std::int64_t now_us);

    // The output of `:put`: lines with their newlines.
    const std::string& output() const { return output_; }
    const std::optional<Trap>& error() const { return error_; }

  private:
    using Variables = std::map<std::string, std::string, std::less<>>;
    struct Frame {
        const std::vector<Statement>* body;
        const std::vector<Statement>* on_error;  // nullptr: none
        std::size_t next = 0;
        Variables variables;
    };

    void step(std::int64_t now_us);
    void begin_next();
    void carry_out(const Statement& statement, std::int64_t now_us);
    void fail(const Trap& trap);

    Sentence sentence_of(const Statement& statement, std::int64_t now_us);
    std::string value_of(const Value& value, std::int64_t now_us);
    std::string fold(const Value& value, std::int64_t now_us);
    std::string call(const Statement& statement, std::int64_t now_us);
    std::string find_rows(const Statement& statement, std::int64_t now_us);
    std::string write(const Sentence& sentence, int line, std::int64_t now_us);
    std::string write_here(const Sentence& sentence, std::int64_t now_us);
    std::string* find_variable(std::string_view name);
    void set_variable(std::string_view name, std::string value);
    void put(std::string_view line);

    std::int64_t cost_to_begin(const Statement& statement) const;
    std::int64_t cost_of_values(const Statement& statement) const;
    std::int64_t cost_of_value(const Value& value) const;
    std::int64_t cost_to_write(const Sentence& sentence) const;
    std::int64_t expected_cost(const Statement& statement) const;

    Caller caller_;
    std::vector<Statement> script_;
    std::vector<Frame> stack_;
    const Statement* begun_ = nullptr;  // its values are read when the debt is paid
    std::optional<Sentence> written_;   // takes effect when the debt is paid
    int written_line_ = 0;
    std::int64_t debt_us_ = 0;
    std::string output_;
    std::optional<Trap> error_;
};

}  // namespace rossim
