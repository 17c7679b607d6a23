#include "control/operator/machine/apply.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <vector>

#include "control/host/process/new_file.h"
#include "matchers/exit_codes.h"
#include "matchers/safe_text.h"

namespace steer::machine {
namespace {

constexpr const char* kHead =
    "#!/bin/sh\n# Takes back what `steerctl setup --apply` did, newest first: `steerctl setup "
    "--undo`.\n";
constexpr mode_t kRootRuns = 0700;

std::vector<std::string> read_commands(const std::string& file) {
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
    return lines;
}

Result<void> write_commands(const std::string& file, const std::vector<std::string>& lines) {
    make_folder_of(file);
    NewFile out(file);
    out.write(kHead);
    for (const std::string& line : lines)
        out.write(line + "\n");
    if (out.replace(kRootRuns)) return {};
    return Error{file + " cannot be written: " + out.why() + "; run as root"};
}

Result<void> remember(const std::string& file, const std::string& command) {
    auto lines = read_commands(file);
    // Of two the older one puts back what was there first, and it is there already.
    if (command.empty() || std::ranges::find(lines, command) != lines.end()) return {};
    lines.insert(lines.begin(), command);
    return write_commands(file, lines);
}

ExitCode failed(Hands& hands, const std::string& sentence) {
    hands.out << "error: " << sentence << "\n";
    return kExitFailed;
}

ExitCode run_steps(const Finding& finding, const std::string& undo_file, Hands& hands) {
    for (const Step& step : finding.steps) {
        if (const auto good = remember(undo_file, step.undo); !good)
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

ExitCode apply(const Findings& findings, const std::string& undo_file, Hands& hands) {
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

ExitCode undo(const std::string& undo_file, Hands& hands) {
    const auto lines = read_commands(undo_file);
    if (lines.empty()) {
        hands.out << "nothing to take back: " << undo_file << " has no commands\n";
        return kExitDone;
    }
    for (const std::string& line : lines)
        hands.out << "  do: " << line << "\n";
    if (!hands.agrees("Take all of this back?")) return kExitDone;
    std::vector<std::string> left;
    for (const std::string& line : lines) {
        hands.out << "  run: " << line << std::endl;
        if (hands.run(line) != 0) left.push_back(line);
    }
    if (left.empty()) {
        std::error_code ignored;
        std::filesystem::remove(undo_file, ignored);
        return kExitDone;
    }
    if (const auto good = write_commands(undo_file, left); !good)
        return failed(hands, good.error().text);
    return failed(hands, std::to_string(left.size()) + " commands failed and stay in " + undo_file);
}

}  // namespace steer::machine
