// Completion scripts for shells, made of the commands that the command line is read by.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace steerctl {

// `app` with all its commands. A value of type FILE is completed with files, one of a few words with these.
std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);

}  // namespace steerctl
