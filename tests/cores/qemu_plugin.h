// What `shared_lines` calls of QEMU: the interface of its TCG plugins, version 1 (QEMU's manual, "TCG Plugins").
// Debian packages no header for it. QEMU itself has these functions and finds ours by name.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct qemu_plugin_tb;    // a block that is translated
struct qemu_plugin_insn;  // an instruction of it; valid during the translation

using PluginId = std::uint64_t;
using Access = std::uint32_t;  // of a call for an access

enum PluginRegisters { kNoRegisters };               // of the guest, that a call may see
enum PluginAccess { kReads = 1, kWrites, kEither };  // which accesses call

void qemu_plugin_register_vcpu_tb_trans_cb(PluginId, void (*)(PluginId, qemu_plugin_tb*));
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb*, std::size_t at);
const void* qemu_plugin_insn_data(const qemu_plugin_insn*);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn*);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn*);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn*, void (*)(unsigned cpu, void*),
                                            PluginRegisters, void*);
void qemu_plugin_register_vcpu_mem_cb(qemu_plugin_insn*,
                                      void (*)(unsigned cpu, Access, std::uint64_t address, void*),
                                      PluginRegisters, PluginAccess, void*);
unsigned qemu_plugin_mem_size_shift(Access);
bool qemu_plugin_mem_is_store(Access);

}  // extern "C"
