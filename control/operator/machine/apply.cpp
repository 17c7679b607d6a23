#include "control/operator/machine/apply.h"

#include <ostream>
#include <vector>

#include "matchers/exit_codes.h"
#include "matchers/safe_text.h"

namespace steer::machine {
namespace {

ExitCode failed(Hands& hands, const std::string& sentence) {
    hands.out << "error: " << sentence << "\n";
    return kExitFailed;
}

// False: an older version left commands that root may not run; they are shown.
bool take_over(const UndoFile& file, Hands& hands) {
    std::vector<std::string> shown;
    const auto done = file.take_over(shown);
    if (done) return true;
    for (const std::string& line : shown)
        hands.out << "  not run: " << line << "\n";
    (void)failed(hands, done.error().text);
    return false;
}

ExitCode run_steps(const Finding& finding, const UndoFile& undo_file, Hands& hands) {
    for (const Step& step : finding.steps) {
        if (const auto good = undo_file.remember(step.undo); !good)
            return failed(hands, good.error().text);
        hands.out << "      run:  " << step.command << std::endl;
        if (const int code = hands.run(step.command); code != 0)
            return failed(
                hands,
                "that command failed (exit " + std::to_string(code) +
                    "), so the rest was left; `steerctl setup --undo` takes back what was done");
        if (!step.undo.empty()) hands.out << "      undo: " << step.undo << "\n";
    }
    if (finding.needs_reboot) hands.out << "      Done; it takes effect at the next boot.\n";
    return kExitDone;
}

}  // namespace

ExitCode apply(const Findings& findings, const UndoFile& undo_file, Hands& hands) {
    (void)take_over(undo_file, hands);
    bool any = false;
    for (const Finding& finding : findings) {
        if (finding.steps.empty()) continue;
        any = true;
        hands.out << text_of(finding.level) << " " << finding.check << ": "
                  << safe_text(finding.text, kSafeLineBytes) << "\n";
        for (const Step& step : finding.steps)
            hands.out << "      do:   " << step.command << "\n";
        if (!hands.agrees("      Do it?")) {
            hands.out << "      left as it is\n";
            continue;
        }
        if (const ExitCode code = run_steps(finding, undo_file, hands); code != kExitDone)
            return code;
    }
    if (!any) hands.out << "nothing to do\n";
    return kExitDone;
}

ExitCode undo(const UndoFile& file, Hands& hands) {
    const bool is_taken_over = take_over(file, hands);
    const auto lines = file.read();
    if (!lines) return failed(hands, lines.error().text);
    if (lines->empty()) {
        hands.out << "nothing to take back: " << file.path() << " has no commands\n";
        return is_taken_over ? kExitDone : kExitFailed;
    }
    for (const std::string& line : *lines)
        hands.out << "  do: " << line << "\n";
    if (!hands.agrees("Take all of this back?")) return kExitDone;
    std::vector<std::string> left;
    for (const std::string& line : *lines) {
        hands.out << "  run: " << line << std::endl;
        if (hands.run(line) != 0) left.push_back(line);
    }
    if (const auto good = file.write(left); !good) return failed(hands, good.error().text);
    if (!left.empty())
        return failed(hands,
                      std::to_string(left.size()) + " commands failed and stay in " + file.path());
    return is_taken_over ? kExitDone : kExitFailed;
}

}  // namespace steer::machine
