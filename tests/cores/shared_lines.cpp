// A TCG plugin of QEMU: the lines that move between cores while a program of the guest is counted (marker.h).
//
// `-plugin shared_lines.so,out=FILE`. A CPU takes part between its markers `enter` and `leave`, with what it does in user
// mode. Addresses are virtual: the program is one process. Each `end` appends to FILE a line for each place that needed
// another core:
//
//     OPERATION LINE CODE CORE SHARED_WRITES MOVED FETCHED
//
// LINE: address of the line; CODE: of the instruction; and, per operation, `OPERATION accesses N cold N`.
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>

#include "cores/coherence.h"
#include "cores/marker.h"
#include "cores/qemu_plugin.h"

namespace {

using namespace steer::cores;

constexpr std::uint64_t kUserEnd = std::uint64_t{1} << 47;

struct alignas(64) Core {
    bool inside = false;
    std::uint64_t accesses = 0, cold = 0;                            // of this operation
    std::map<std::pair<std::uint64_t, std::uint64_t>, Needs> needs;  // by line and code
};

Coherence coherence;
std::array<Core, kMaxCores> cores;
std::atomic<std::uint32_t> operation{0};  // kBegin and more: counted
std::string file;

void write_counts(unsigned number) {
    std::FILE* const out = std::fopen(file.c_str(), "a");
    if (out == nullptr) std::abort();
    std::uint64_t accesses = 0, cold = 0;
    for (unsigned core = 0; core < kMaxCores; ++core) {
        for (const auto& [place, n] : cores[core].needs) {
            std::fprintf(out, "%u %#lx %#lx %u %lu %lu %lu\n", number, place.first, place.second,
                         core, n.shared_writes, n.moved, n.fetched);
        }
        accesses += std::exchange(cores[core].accesses, 0);
        cold += std::exchange(cores[core].cold, 0);
        cores[core].needs.clear();
    }
    std::fprintf(out, "%u accesses %lu cold %lu\n", number, accesses, cold);
    std::fclose(out);
}

void on_marker(unsigned cpu, void* data) {
    const auto word = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(data));
    if (word == kEnter || word == kLeave) {
        if (cpu < kMaxCores) cores[cpu].inside = word == kEnter;
    } else if (word == kStart) {
        coherence.clear();
    } else if (word >= kEnd) {
        operation = 0;
        write_counts(word - kEnd);
    } else {
        operation = word;
    }
}

void on_access(unsigned cpu, Access how, std::uint64_t address, void* code) {
    if (cpu >= kMaxCores || !cores[cpu].inside || address >= kUserEnd) return;
    Core& core = cores[cpu];
    const bool counted = operation.load(std::memory_order_relaxed) != 0;
    const std::uint64_t last = address + (1U << qemu_plugin_mem_size_shift(how)) - 1;
    for (std::uint64_t line = address >> kLineBits; line <= last >> kLineBits; ++line) {
        const std::uint64_t at = line << kLineBits;
        Needs needs = coherence.access(cpu, at, qemu_plugin_mem_is_store(how));
        if (!counted) continue;
        core.cold += std::exchange(needs.cold, 0);
        if (needs.any()) core.needs[{at, reinterpret_cast<std::uintptr_t>(code)}] += needs;
    }
    if (counted) ++core.accesses;
}

void on_block(PluginId, qemu_plugin_tb* block) {
    for (std::size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
        qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(block, i);
        const std::uint64_t code = qemu_plugin_insn_vaddr(insn);
        if (code >= kUserEnd) return;  // the kernel's
        const std::uint32_t word =
            marker_word(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
        if (word != 0)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, kNoRegisters,
                                                   reinterpret_cast<void*>(std::uintptr_t{word}));
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, kNoRegisters, kEither,
                                         reinterpret_cast<void*>(code));
    }
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(PluginId id, const void*, int count,
                                                               char** words) {
    for (int i = 0; i < count; ++i) {
        const std::string_view word = words[i];
        if (word.starts_with("out=")) file = word.substr(4);
    }
    if (file.empty()) {
        std::fprintf(stderr, "shared_lines: no file for the counts: write out=FILE\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    return 0;
}

}  // extern "C"
