// The programs of the engine, started by a starter of their own (starter.h), whose user they have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/host/process/starter.h"
#include "control/program/engine/engine.h"
#include "control/program/engine/instance.h"
#include "matchers/result.h"

namespace steer::recursion {

// The starter that main() made; nullptr: none.
void use_engine_starter(Starter* starter);
Starter* engine_starter();

class ProcessStarter final : public EngineStarter {
  public:
    Result<StartedEngine> start(int config, std::uint64_t most_bytes) override;
    void kill(pid_t pid) override;
};

// Asks the engine's check about a configuration. Waits for it, a few seconds at most. Any thread.
std::vector<CheckError> check(const EngineConfig& config);

}  // namespace steer::recursion
