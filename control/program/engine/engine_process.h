// The programs of the engine, started by a starter of their own (starter.h), whose user they have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/host/process/starter.h"
#include "control/program/engine/engine.h"
#include "control/program/engine/folders.h"
#include "control/program/engine/instance.h"
#include "matchers/result.h"

namespace steer::recursion {

// The starter that main() made; nullptr: none.
void use_engine_starter(Starter* starter);
Starter* engine_starter();
// Makes it the engine's user (engine_user()), once: what it starts never has root's rights. The
// user, also where this process has no other than its own. Error: there is no user but root, or this
// process may not change to it. Any thread.
Result<EngineUser> lower_starter(const std::string& daemon_user);

class ProcessStarter final : public EngineStarter {
  public:
    Result<StartedEngine> start(const EngineStart& how) override;
    void kill(pid_t pid) override;
};

// Whether code inside an engine could execute other programs: kRefused, or "possible: " and why
// (ProgramFilter).
inline constexpr std::string_view kRefused = "refused";
std::string other_programs();

// Asks the engine's check about a configuration, after lower_starter(). `files`: files_of() its
// settings. Error: it did not run to its end. Waits for it, a few seconds at most. Any thread.
Result<std::vector<CheckError>> check(const EngineConfig& config,
                                      const std::vector<std::string>& files);

}  // namespace steer::recursion
