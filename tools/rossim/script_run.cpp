#include "tools/rossim/script_run.h"

#include <algorithm>
#include <charconv>

#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

constexpr std::size_t kMaxValueBytes = 64U << 10;
constexpr std::size_t kMaxOutputBytes = 1U << 20;

std::int64_t number_of(const std::string& text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) {
        throw Trap{"cannot add string to a number", kScriptFailure};
    }
    return value;
}

std::int64_t calculate(char op, std::int64_t left, std::int64_t right) {
    std::int64_t value = 0;
    const bool overflows = op == '+'   ? __builtin_add_overflow(left, right, &value)
                           : op == '-' ? __builtin_sub_overflow(left, right, &value)
                                       : __builtin_mul_overflow(left, right, &value);
    if (overflows) throw Trap{"number out of range", kScriptFailure};
    return value;
}

// yes and true are one value.
bool is_equal(std::string_view printed, const std::string& wanted) {
    const auto truth = parse_bool(wanted);
    return printed == wanted || (truth && printed == bool_text(*truth));
}

bool matches(const Properties& row, const Attributes& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&row](const auto& pair) {
        std::string scratch;
        return is_equal(row.property(pair.first, scratch).value_or(""), pair.second);
    });
}

void append_id(std::string& ids, std::uint64_t id) {
    ids += (ids.empty() ? "" : ",") + id_text(id);
}

}  // namespace

ScriptMenus script_menus(const Machine& machine) {
    const Schema& schema = machine.records.schema();
    const auto has_menu = [&schema](std::string_view path) { return schema.has_menu_below(path); };
    const auto refusal_of_verb = [&schema](std::string_view path, std::string_view verb) {
        if (schema.command(path, verb) == nullptr) return "bad command name " + std::string(verb);
        const bool is_printed = verb == "print" || verb == "getall" || verb == "listen";
        const bool is_done = verb == "find" || (!is_printed && Records::carries_out(verb));
        return is_done ? "" : "not simulated: " + std::string(path) + "/" + std::string(verb);
    };
    const auto has_argument = [&schema](std::string_view path, std::string_view verb,
                                        std::string_view name) {
        return name == ".id" || schema.argument(path, verb, name) != nullptr;
    };
    return {has_menu, refusal_of_verb, has_argument, machine.options.version >= Version{7, 23}};
}

ScriptRun::ScriptRun(Caller caller, std::vector<Statement> script)
    : caller_(std::move(caller)), script_(std::move(script)) {
    stack_.push_back({&script_, nullptr, 0, {}});
    begin_next();
}

void ScriptRun::work(std::int64_t cpu_us, std::int64_t now_us) {
    debt_us_ -= cpu_us;
    while (debt_us_ <= 0 && !is_over())
        step(now_us);
}

void ScriptRun::step(std::int64_t now_us) {
    try {
        if (written_) {
            write(*std::exchange(written_, std::nullopt), written_line_, now_us);
        } else if (begun_ != nullptr) {
            carry_out(*std::exchange(begun_, nullptr), now_us);
        }
    } catch (const Trap& trap) {
        fail(trap);
    }
    if (!written_) begin_next();
}

void ScriptRun::begin_next() {
    while (!stack_.empty() && stack_.back().next == stack_.back().body->size())
        stack_.pop_back();
    if (stack_.empty()) return;
    Frame& frame = stack_.back();
    begun_ = &(*frame.body)[frame.next++];
    debt_us_ += cost_to_begin(*begun_);
}

void ScriptRun::carry_out(const Statement& statement, std::int64_t now_us) {
    switch (statement.kind) {
        case Statement::Kind::put:
            put(value_of(statement.value, now_us));
            return;
        case Statement::Kind::local:
            stack_.back().variables[statement.variable] = value_of(statement.value, now_us);
            return;
        case Statement::Kind::set:
            set_variable(statement.variable, value_of(statement.value, now_us));
            return;
        case Statement::Kind::guarded:
            stack_.push_back({&statement.body, &statement.on_error, 0, {}});
            return;
        case Statement::Kind::raise:
            throw Trap{statement.value.text, kScriptFailure};
        case Statement::Kind::call:
            break;
    }
    if (statement.verb == "find") {
        find_rows(statement, now_us);
        return;
    }
    written_ = sentence_of(statement, now_us);
    written_line_ = statement.line;
    debt_us_ += cost_to_write(*written_);
}

// Back to the innermost block with an on-error, which takes its place.
void ScriptRun::fail(const Trap& trap) {
    while (!stack_.empty() && stack_.back().on_error == nullptr)
        stack_.pop_back();
    if (stack_.empty()) {
        error_ = Trap{trap.message, kScriptFailure};
        return;
    }
    const std::vector<Statement>* const body = stack_.back().on_error;
    stack_.pop_back();
    stack_.push_back({body, nullptr, 0, {}});
}

Sentence ScriptRun::sentence_of(const Statement& statement, std::int64_t now_us) {
    Sentence sentence;
    sentence.menu = statement.menu;
    sentence.verb = statement.verb;
    for (const auto& [name, value] : statement.arguments)
        sentence.attributes.emplace_back(name, value_of(value, now_us));
    return sentence;
}

std::string ScriptRun::value_of(const Value& value, std::int64_t now_us) {
    switch (value.kind) {
        case Value::Kind::text:
            return value.text;
        case Value::Kind::variable: {
            const std::string* const variable = find_variable(value.text);
            return variable != nullptr ? *variable : "";
        }
        case Value::Kind::call:
            return call(value.calls[0], now_us);
        case Value::Kind::fold:
            break;
    }
    return fold(value, now_us);
}

std::string ScriptRun::fold(const Value& value, std::int64_t now_us) {
    std::string result = value_of(value.operands[0], now_us);
    for (std::size_t i = 0; i < value.text.size(); ++i) {
        const std::string right = value_of(value.operands[i + 1], now_us);
        if (value.text[i] == '.') {
            result += right;
        } else {
            result = std::to_string(calculate(value.text[i], number_of(result), number_of(right)));
        }
        if (result.size() > kMaxValueBytes) throw Trap{"out of memory", kScriptFailure};
    }
    return result;
}

std::string ScriptRun::call(const Statement& statement, std::int64_t now_us) {
    if (statement.kind == Statement::Kind::raise) throw Trap{statement.value.text, kScriptFailure};
    if (statement.verb == "find") return find_rows(statement, now_us);
    return write(sentence_of(statement, now_us), statement.line, now_us);
}

std::string ScriptRun::find_rows(const Statement& statement, std::int64_t now_us) {
    caller_.require("read");
    const Sentence sentence = sentence_of(statement, now_us);
    Machine& machine = caller_.machine;
    std::string ids;
    if (const auto family = address_list_family(sentence.menu)) {
        const auto& rows = machine.device.table(*family).rows();
        machine.report.rows_scanned += rows.size();
        for (const auto& [id, row] : rows) {
            if (matches(RowProperties(row, now_us, machine.options.version), sentence.attributes))
                append_id(ids, id);
        }
        return ids;
    }
    for (const Record& row : machine.records.rows(sentence.menu)) {
        if (matches(row, sentence.attributes)) append_id(ids, row.id);
    }
    return ids;
}

// The id of a new row. What is refused says where; the other errors do not.
std::string ScriptRun::write(const Sentence& sentence, int line, std::int64_t now_us) {
    try {
        return write_here(sentence, now_us);
    } catch (const Trap& trap) {
        const Version version = caller_.machine.options.version;
        const bool says_where =
            (trap.message.starts_with("failure:") && version >= Version{7, 20}) ||
            (trap.message.starts_with("missing value(s)") && version >= Version{7, 22});
        if (!says_where) throw;
        throw Trap{trap.message + " (" + sentence.menu + "/" + sentence.verb + "; line " +
                       std::to_string(line) + ")",
                   trap.category};
    }
}

std::string ScriptRun::write_here(const Sentence& sentence, std::int64_t now_us) {
    caller_.require("write");
    const std::string* const numbers = sentence.find("numbers");
    if (numbers != nullptr && numbers->empty()) return "";  // a find that found nothing
    Machine& machine = caller_.machine;
    if (const auto family = address_list_family(sentence.menu)) {
        return write_rows(machine, *family, sentence, now_us).value_or("");
    }
    if (sentence.menu == "/file") caller_.require_files();
    const auto ret = machine.records.change(sentence);
    machine.device.write_flash(now_us);
    return ret.value_or("");
}

std::string* ScriptRun::find_variable(std::string_view name) {
    for (auto frame = stack_.rbegin(); frame != stack_.rend(); ++frame) {
        const auto it = frame->variables.find(name);
        if (it != frame->variables.end()) return &it->second;
    }
    return nullptr;
}

void ScriptRun::set_variable(std::string_view name, std::string value) {
    std::string* const variable = find_variable(name);
    if (variable == nullptr) throw Trap{"syntax error", kScriptFailure};
    *variable = std::move(value);
}

void ScriptRun::put(std::string_view line) {
    if (output_.size() + line.size() > kMaxOutputBytes) throw Trap{"out of memory", kScriptFailure};
    output_ += line;
    output_ += caller_.machine.options.script_line_end;
}

std::int64_t ScriptRun::cost_to_begin(const Statement& statement) const {
    const Costs& costs = caller_.machine.options.costs;
    const std::int64_t own =
        statement.kind == Statement::Kind::call ? costs.base / costs.script_row_base_divisor : 0;
    return own + cost_of_values(statement);
}

// What the commands in brackets cost, and the scan of a find.
std::int64_t ScriptRun::cost_of_values(const Statement& statement) const {
    std::int64_t cost_us = cost_of_value(statement.value);
    for (const auto& [name, value] : statement.arguments)
        cost_us += cost_of_value(value);
    if (statement.verb != "find") return cost_us;
    const auto family = address_list_family(statement.menu);
    const Machine& machine = caller_.machine;
    const std::size_t rows =
        family ? machine.device.table(*family).size() : machine.records.rows(statement.menu).size();
    return cost_us + static_cast<std::int64_t>(rows) * machine.options.costs.scan_row;
}

std::int64_t ScriptRun::cost_of_value(const Value& value) const {
    std::int64_t cost_us = 0;
    for (const Value& operand : value.operands)
        cost_us += cost_of_value(operand);
    for (const Statement& statement : value.calls) {
        cost_us += cost_to_begin(statement);
        if (statement.verb == "add") cost_us += caller_.machine.options.costs.add;
    }
    return cost_us;
}

std::int64_t ScriptRun::cost_to_write(const Sentence& sentence) const {
    const Costs& costs = caller_.machine.options.costs;
    const bool has_rows = address_list_family(sentence.menu) || route_family(sentence.menu);
    return has_rows ? write_cost(costs, sentence) : costs.set;
}

// At least, if all goes well.
std::int64_t ScriptRun::expected_cost(const Statement& statement) const {
    std::int64_t cost_us = cost_to_begin(statement);
    if (statement.kind == Statement::Kind::call && statement.verb == "add") {
        cost_us += caller_.machine.options.costs.add;
    }
    for (const Statement& inner : statement.body)
        cost_us += expected_cost(inner);
    return cost_us;
}

std::int64_t ScriptRun::wants_us() const {
    std::int64_t wants_us = std::max<std::int64_t>(debt_us_, 0);
    for (auto frame = stack_.rbegin(); frame != stack_.rend(); ++frame) {
        for (std::size_t i = frame->next; i < frame->body->size(); ++i) {
            if (wants_us >= Cpu::kSliceUs) return wants_us;
            wants_us += expected_cost((*frame->body)[i]);
        }
    }
    return wants_us;
}

}  // namespace rossim
