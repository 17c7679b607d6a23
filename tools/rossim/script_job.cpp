#include "tools/rossim/commands.h"

#include <algorithm>
#include <utility>

#include "tools/rossim/script_run.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

enum class Purpose : std::uint8_t {
    run,         // /system/script/run and /import: done, or the trap that ended it
    as_string,   // done with what it put
    background,  // done at once
};

// Reads the script when its sentence is paid, then pays for what it does.
class ScriptJob : public Job {
  public:
    using Load = std::function<std::string()>;  // the source; may throw Trap

    ScriptJob(Caller caller, Purpose purpose, Load load)
        : caller_(std::move(caller)),
          purpose_(purpose),
          load_(std::move(load)),
          left_us_(caller_.machine.admission_cost(caller_.machine.options.costs.base)) {}

    std::int64_t wants_us() const override { return run_ ? run_->wants_us() : left_us_; }
    bool outlives_session() const override {
        return purpose_ == Purpose::background || caller_.machine.options.script_outlives_session;
    }

    bool work(std::int64_t cpu_us, std::int64_t now_us) override {
        if (!run_) {
            left_us_ -= cpu_us;
            if (left_us_ > 0) return false;
            if (!begin()) return true;
            cpu_us = -left_us_;
        }
        run_->work(cpu_us, now_us);
        if (!run_->is_over()) return false;
        finish();
        return true;
    }

  private:
    bool begin();
    void refuse_syntax(const std::string& message) const;
    void finish() const;

    Caller caller_;
    Purpose purpose_;
    Load load_;
    std::int64_t left_us_;
    std::optional<ScriptRun> run_;
};

// False: it is over.
bool ScriptJob::begin() {
    Machine& machine = caller_.machine;
    try {
        const std::string source = load_();
        auto statements = parse_script(source, script_menus(machine));
        run_.emplace(caller_, std::move(statements));
    } catch (const Trap& trap) {
        machine.send_trap(session, tag, trap);
        return false;
    } catch (const ScriptError& error) {
        refuse_syntax(error.message);
        return false;
    }
    if (purpose_ == Purpose::background) {
        caller_.done({}, id_text(++machine.last_background_script));
        session = 0;  // of no session
        tag.reset();
    }
    return true;
}

// A script that cannot be read is no trap for /execute: its output says so.
void ScriptJob::refuse_syntax(const std::string& message) const {
    Machine& machine = caller_.machine;
    switch (purpose_) {
        case Purpose::run:
            machine.send_trap(session, tag, {message, kScriptFailure});
            return;
        case Purpose::as_string:
            caller_.done({}, message);
            return;
        case Purpose::background:
            caller_.done({}, id_text(++machine.last_background_script));
            return;
    }
}

void ScriptJob::finish() const {
    if (purpose_ == Purpose::background) return;
    const auto& error = run_->error();
    Machine& machine = caller_.machine;
    const bool is_trap = purpose_ == Purpose::run || machine.options.execute_error_is_trap;
    if (error && is_trap) {
        machine.send_trap(session, tag, *error);
    } else if (purpose_ == Purpose::run) {
        caller_.done();
    } else {
        caller_.done({}, run_->output() + (error ? error->message : ""));
    }
}

void check_arguments(const Sentence& sentence, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : sentence.attributes) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw Trap{"unknown parameter " + name, kMissingItem};
        }
    }
}

const std::string& get_argument(const Sentence& sentence, std::string_view name) {
    const std::string* const value = sentence.find(name);
    if (value == nullptr) {
        throw Trap{"missing value(s) of argument(s) " + std::string(name), kMissingItem};
    }
    return *value;
}

std::unique_ptr<Job> make_execute(const Sentence& sentence, Caller caller) {
    const bool has_as_string = caller.machine.options.version >= Version{7, 8};
    if (has_as_string) {
        check_arguments(sentence, {"script", "as-string"});
    } else {
        check_arguments(sentence, {"script"});
    }
    const std::string& source = get_argument(sentence, "script");
    if (source.size() > kMaxScriptBytes) throw value_too_long("script");
    const Purpose purpose =
        sentence.find("as-string") != nullptr ? Purpose::as_string : Purpose::background;
    return std::make_unique<ScriptJob>(std::move(caller), purpose, [source] { return source; });
}

std::unique_ptr<Job> make_import(const Sentence& sentence, const Caller& caller) {
    check_arguments(sentence, {"file-name", "verbose"});
    const std::string name = get_argument(sentence, "file-name");
    const auto load = [caller, name] {
        caller.require_files();
        const Record* const file = caller.machine.records.find_named("/file", name);
        if (file == nullptr) {
            throw Trap{"input does not match any value of file-name", kBadValue};
        }
        std::string scratch;
        return std::string(file->property("contents", scratch).value_or(""));
    };
    return std::make_unique<ScriptJob>(caller, Purpose::run, load);
}

// With `.id` instead of `number` RouterOS says done and runs nothing.
std::unique_ptr<Job> make_run(const Sentence& sentence, const Caller& caller) {
    check_arguments(sentence, {"number", ".id", "use-script-permissions"});
    if (sentence.find("number") == nullptr && sentence.find(".id") != nullptr) {
        return std::make_unique<ScriptJob>(caller, Purpose::run, [] { return std::string(); });
    }
    const std::string number = get_argument(sentence, "number");
    const auto load = [caller, number] {
        caller.require("write");
        const Record* const script = caller.machine.records.find_named("/system/script", number);
        if (script == nullptr) throw no_such_item();
        std::string scratch;
        return std::string(script->property("source", scratch).value_or(""));
    };
    return std::make_unique<ScriptJob>(caller, Purpose::run, load);
}

}  // namespace

bool runs_script(const Sentence& sentence) {
    if (sentence.menu == "/system/script") return sentence.verb == "run";
    return sentence.menu.empty() && (sentence.verb == "execute" || sentence.verb == "import");
}

std::unique_ptr<Job> make_script_job(const Sentence& sentence, Caller caller) {
    if (sentence.verb == "run") return make_run(sentence, caller);
    if (sentence.verb == "import") return make_import(sentence, caller);
    return make_execute(sentence, std::move(caller));
}

}  // namespace rossim
